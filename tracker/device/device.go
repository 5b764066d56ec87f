// Package device turns a user agent and client hints into Matomo's device columns (tracker-spec §5.4, §10). The patterns are read at run
// time from the installation's vendor/matomo/device-detector/regexes; codes and families are embedded tables.
package device

import (
	"database/sql"
	"io/fs"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Device holds the values of the config_* columns of log_visit, cut as §5.4 says, and what config_id needs (§4).
type Device struct {
	Bot                                                          bool
	Engine, BrowserName, BrowserVersion                          string
	ClientType                                                   sql.Null[int64]
	Brand, Model                                                 string
	Type                                                         sql.Null[int64]
	OS, OSVersion                                                string
	FingerprintOS, FingerprintBrowser, FingerprintBrowserVersion string
	ClientName                                                   string
}

// Undetected is what PHP writes when nothing is detected.
func Undetected() *Device {
	return &Device{OS: unknown, OSVersion: unknown, BrowserName: unknown, FingerprintOS: unknown, FingerprintBrowser: unknown}
}

const unknown = "UNK"

// Hints are parsed client hints.
type Hints struct{}

// HintsError says that a hint has a type for which Matomo refuses the request (§10.1).
type HintsError struct{ Hint string }

func (e *HintsError) Error() string { return "client hint " + e.Hint + ": wrong type" }

// HintsFromParam reads the sanitized, decoded uadata parameter.
func HintsFromParam(v php.Value) (*Hints, error) { return &Hints{}, nil }

// HintsFromServer reads the client hint headers of env.server.
func HintsFromServer(server *php.Array) (*Hints, error) { return &Hints{}, nil }

// Detector detects devices; safe for concurrent use.
type Detector struct{}

// Load reads the pattern files.
func Load(regexes fs.FS) (*Detector, error) { return &Detector{}, nil }

// Detect returns the device of a sanitized user agent.
func (d *Detector) Detect(ua string, hints *Hints) *Device { return Undetected() }

// IsBot reports whether the un-sanitized user agent is a bot's (§2.1).
func (d *Detector) IsBot(ua string) bool { return false }
