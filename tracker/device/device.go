// Package device turns a user agent and client hints into Matomo's device columns (spec §5.4, §10): operating
// system, browser or other client, device type, brand and model, and whether it is a bot.
//
// Everything is read from the installation's vendor/matomo/device-detector: patterns from its data files, and what
// device-detector keeps in its code from its PHP files: the codes and families of systems, browsers and brands. Tables
// of two releases are built in for where those files are missing (tables.json). What the code does besides differs from
// release to release: see versions.go. Results are cached as Matomo caches them.
package device

import (
	"database/sql"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/device/pattern"
)

// unknown is what Matomo writes for a system, system version or browser that it does not know.
const unknown = "UNK"

// genericMobile is the model of a device of which no more is known than that it is mobile.
const genericMobile = "generic mobile"

// Library is the ClientType of programming libraries.
const Library int64 = clientLibrary

// Limits of columns (spec §5.4).
const (
	maxBrowserVersion = 20  // bytes
	maxModel          = 100 // characters
)

// Device holds the values of the config_* columns of log_visit, cut as spec §5.4 says, and the parts of config_id that
// come from the device (spec §4). Devices are shared between requests: they are read only.
type Device struct {
	Bot bool

	Engine         string          // config_browser_engine
	BrowserName    string          // config_browser_name: code of a browser, name of another client, or UNK
	BrowserVersion string          // config_browser_version
	ClientType     sql.Null[int64] // config_client_type: 1 browser … 6 mail client
	Brand          string          // config_device_brand: a code
	Model          string          // config_device_model
	Type           sql.Null[int64] // config_device_type: 0 desktop … 13 peripheral
	OS             string          // config_os: a code, BOT or UNK
	OSVersion      string          // config_os_version; UNK when the system is unknown

	FingerprintOS             string // part 1 of config_id
	FingerprintBrowser        string // part 2
	FingerprintBrowserVersion string // part 3
	ClientName                string // name of the client: config_id ignores the cookie flag of "Internet Explorer"

	genericModel string // the model when none is known, or none may be used

	// Refused is a *HintsError when the client hints make Matomo refuse the request in the course of the detection, nil
	// otherwise: a brand that is a whole number, or a brand's version that is no text. The other fields are those of
	// Undetected then.
	Refused error
}

// Policy says what of a device may not be stored (spec §V3.1.3). It holds for a site.
type Policy struct {
	OnlyMajorVersions bool // versions of browser and system end before their first dot
	NoModel           bool // the model is "generic …", whatever was detected
}

// Under is the device as a policy allows to store it. The parts of config_id stay as they are. Without a policy it is d
// itself.
func (d *Device) Under(p Policy) *Device {
	if p == (Policy{}) {
		return d
	}
	limited := *d
	if p.OnlyMajorVersions {
		limited.BrowserVersion, _, _ = strings.Cut(d.BrowserVersion, ".")
		limited.OSVersion, _, _ = strings.Cut(d.OSVersion, ".")
	}
	if p.NoModel {
		limited.Model = d.genericModel
	}
	return &limited
}

// Undetected is what Matomo writes when nothing is known about a device.
func Undetected() *Device {
	return &Device{
		BrowserName: unknown, OS: unknown, OSVersion: unknown, FingerprintOS: unknown,
		FingerprintBrowser: unknown,
	}
}

// detection is the state of one detection.
type detection struct {
	*Detector
	ua       string
	hints    *Hints
	hinted   bool // there are hints, if only empty ones
	subject  *pattern.Subject
	restored *pattern.Subject // see restoredSubject

	system   system
	client   client
	hardware hardware
}

// detect runs all steps of spec §10.3 for a user agent and hints.
func (d *Detector) detect(ua string, hints *Hints) *Device {
	hinted := hints != nil
	if !hinted {
		hints = &Hints{}
	}
	run := &detection{
		Detector: d, ua: ua, hints: hints, hinted: hinted, subject: d.rules.index.Subject(ua),
		hardware: hardware{kind: typeUnknown},
	}
	if run.isBot() {
		return botDevice(hints)
	}
	run.system = run.findSystem()
	var err error
	if run.client, err = run.findClient(); err != nil {
		refused := Undetected()
		refused.Refused = err
		return refused
	}
	run.hardware = run.findHardware()
	run.completeHardware()
	return run.columns()
}

// isBot reports whether any pattern of the bots matches; which one is of no interest.
func (d *detection) isBot() bool {
	_, _, ok := d.subject.First(d.rules.bots.from, d.rules.bots.to)
	return ok
}

// has tries a check on the user agent as it came.
func (d *detection) has(check int) bool { return has(d.subject, check) }

func has(s *pattern.Subject, check int) bool {
	_, ok := s.Match(check)
	return ok
}

// botDevice is a bot. Matomo looks for nothing else, but a hint still says that it is mobile.
func botDevice(hints *Hints) *Device {
	d := Undetected()
	d.Bot, d.OS, d.FingerprintOS = true, "BOT", "BOT"
	if hints.mobile {
		d.Model, d.genericModel = genericMobile, genericMobile
	}
	return d
}

// columns turns the findings into column values.
func (d *detection) columns() *Device {
	c := &Device{
		Engine:             nonEmpty(d.client.engine, ""),
		BrowserName:        nonEmpty(d.client.code, nonEmpty(d.client.name, unknown)),
		BrowserVersion:     php.CutBytes(nonEmpty(d.client.version, ""), maxBrowserVersion),
		ClientType:         sql.Null[int64]{V: d.client.kind, Valid: d.client.kind != 0},
		OS:                 unknown,
		OSVersion:          unknown,
		FingerprintBrowser: unknown,
		ClientName:         d.client.name,
	}
	if d.system.name != "" {
		c.OS, c.OSVersion = d.system.code, d.system.version
	}
	c.FingerprintOS = nonEmpty(c.OS, unknown)
	if d.client.kind == clientBrowser {
		c.FingerprintBrowser = nonEmpty(d.client.code, unknown)
		c.FingerprintBrowserVersion = nonEmpty(d.client.version, "")
	}
	d.hardwareColumns(c)
	return c
}

func (d *detection) hardwareColumns(c *Device) {
	h := &d.hardware
	c.Brand = d.tables.brandCode(h.brand)
	if h.kind != typeUnknown {
		c.Type = sql.Null[int64]{V: h.kind, Valid: true}
	}
	switch {
	case h.kind != typeUnknown:
		c.genericModel = "generic " + d.typeName(h.kind)
	case d.isMobile():
		c.genericModel = genericMobile
	}
	c.Model = c.genericModel
	if !php.EmptyString(h.model) {
		c.Model = php.CutRunes(h.model, maxModel)
	}
}

// typeName is the name of a device type, "" for a number that the table does not have.
func (d *detection) typeName(number int64) string {
	if number < int64(len(d.tables.deviceTypes)) {
		return d.tables.deviceTypes[number]
	}
	return ""
}

// nonEmpty is s, or other when s is empty to PHP: "" and "0".
func nonEmpty(s, other string) string {
	if php.EmptyString(s) {
		return other
	}
	return s
}
