package device

import (
	"fmt"
	"io/fs"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/maypok86/otter/v2"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

const (
	cacheSize  = 50_000  // devices, and as many answers to the question whether a user agent is a bot
	maxKey     = 500     // characters of Matomo's cache key
	hintsBytes = 8 << 20 // texts of client hints that are remembered, with what was read from them
)

// Detector detects devices. It is safe for concurrent use.
type Detector struct {
	*code
	rules   *rules
	devices *otter.Cache[string, *Device]
	bots    *otter.Cache[string, bool]
	hints   *otter.Cache[string, *Hints]
}

// Load reads an installation's device-detector, vendor/matomo/device-detector: the data files of its folder "regexes"
// and, from its PHP files, its version and its tables of codes. The error names the data file that is missing or
// broken. PHP files may be missing or be written in a way that cannot be read: built-in tables stand in for theirs, see
// Found. Nothing newer than the newest release that is known is an error.
func Load(folder fs.FS) (*Detector, error) {
	c, err := loadCode(folder)
	if err != nil {
		return nil, err
	}
	regexes, err := fs.Sub(folder, "regexes")
	if err != nil {
		return nil, err
	}
	r, err := loadRules(regexes, c.facts)
	if err != nil {
		return nil, err
	}
	return (&Detector{code: c, rules: r}).Forgetful()
}

// Found tells which device-detector was loaded.
func (d *Detector) Found() Found { return d.found }

// Forgetful returns a Detector with the same data and empty caches: what a newly started process would be.
func (d *Detector) Forgetful() (fresh *Detector, err error) {
	d = &Detector{code: d.code, rules: d.rules}
	if d.devices, err = otter.New(&otter.Options[string, *Device]{MaximumSize: cacheSize}); err != nil {
		return nil, fmt.Errorf("device cache: %w", err)
	}
	if d.bots, err = otter.New(&otter.Options[string, bool]{MaximumSize: cacheSize}); err != nil {
		return nil, fmt.Errorf("bot cache: %w", err)
	}
	if d.hints, err = otter.New(&otter.Options[string, *Hints]{MaximumWeight: hintsBytes, Weigher: hintsWeight}); err != nil {
		return nil, fmt.Errorf("client hints cache: %w", err)
	}
	return d, nil
}

// Detect returns the device of a sanitized user agent (spec §10.1) and the hints of the request, nil for none. The
// result is shared.
//
// As in Matomo a result counts for all requests with the same key: the digest of brands, platform, platform version and
// model, and the trimmed user agent, 500 characters together. Other hints (mobile, full version, app) and the end of a
// long user agent are those of the first request with the key. A device that is Refused is not remembered.
func (d *Detector) Detect(ua string, hints *Hints) *Device {
	key := cacheKey(ua, hints)
	if found, ok := d.devices.GetIfPresent(key); ok {
		return found
	}
	// results may be parts of it, and should not hold a whole queue entry in memory
	found := d.detect(strings.Clone(ua), hints)
	if found.Refused != nil {
		return found
	}
	first, _ := d.devices.SetIfAbsent(strings.Clone(key), found)
	return first
}

// Hints reads the parameter uadata where it is text, as HintsFromParam does with its value. The same few hundred
// characters come with every request of a browser, and of all with the same version; that is why they are remembered.
// The error is a *HintsError.
func (d *Detector) Hints(uadata string) (*Hints, error) {
	if found, ok := d.hints.GetIfPresent(uadata); ok {
		return found, nil
	}
	text := strings.Clone(uadata) // which the hints are parts of, see Detect
	v, err := php.DecodeJSON(text)
	if err != nil {
		return nil, nil
	}
	hints, err := d.HintsFromParam(php.SanitizeValue(v))
	if err == nil {
		d.hints.Set(text, hints)
	}
	return hints, err
}

// hintsWeight is about what an entry of the cache takes: text that was decoded from uadata is no longer than that, and
// each brand needs some thirty characters of it.
func hintsWeight(uadata string, _ *Hints) uint32 {
	const fixed, times = 500, 5
	return uint32(min(fixed+times*len(uadata), math.MaxUint32))
}

// IsBot reports whether a user agent, which is not sanitized here, is that of a bot (spec §2.1). It looks at nothing
// else and is meant for a tracker without device detection; with one, Detect of the same text and the request's hints
// gives the answer that Matomo has cached.
func (d *Detector) IsBot(ua string) bool {
	key := cacheKey(ua, nil)
	if found, ok := d.bots.GetIfPresent(key); ok {
		return found
	}
	run := &detection{Detector: d, subject: d.rules.index.Subject(ua)}
	first, _ := d.bots.SetIfAbsent(strings.Clone(key), run.isBot())
	return first
}

// IsLibrary reports whether a user agent as Detect takes it is, without client hints, that of a program library
// (spec §V3.9.3).
func (d *Detector) IsLibrary(ua string) bool { return d.Detect(ua, nil).ClientType.V == clientLibrary }

func cacheKey(ua string, hints *Hints) string {
	key := php.Trim(ua)
	if hints != nil {
		key = hints.digest + key
	}
	if len(key) <= maxKey || utf8.RuneCountInString(key) <= maxKey {
		return key
	}
	return php.CutRunes(key, maxKey)
}
