package device

import (
	"regexp"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/device/pattern"
)

// Numbers of device types as config_device_type stores them, those that rules name.
const (
	typeUnknown      = -1
	typeDesktop      = 0
	typeSmartphone   = 1
	typeTablet       = 2
	typeFeaturePhone = 3
	typeConsole      = 4
	typeTV           = 5
	typeSmartDisplay = 7
	typeCamera       = 8
	typeMediaPlayer  = 9
	typePhablet      = 10
	typeWearable     = 12
)

// hardware is the device itself: brand by name, type by number.
type hardware struct {
	kind         int64
	brand, model string
}

// findHardware asks the device files; the first that accepts the user agent decides, even when it knows neither brand nor model.
func (d *detection) findHardware() hardware {
	for file := range d.rules.devices {
		if !d.accepts(file) {
			continue
		}
		if h, ok := d.hardwareFrom(file); ok {
			return h
		}
	}
	return hardware{kind: typeUnknown}
}

// accepts reports whether a device file is tried, by the user agent as it came.
func (d *detection) accepts(file int) bool {
	switch file {
	case deviceHbbTV:
		return d.has(d.rules.checks.hbbTV)
	case deviceShellTV:
		return d.has(d.rules.checks.shellTV)
	case deviceNotebook:
		return d.has(d.rules.checks.facebookNotebook)
	case deviceMobile:
		return true
	}
	_, _, ok := d.subject.First(d.rules.devices[file].from, d.rules.devices[file].to)
	return ok
}

// hardwareFrom reads one device file. ok false lets the next file try. A user agent of a desktop, or the model of a client hint, ends the
// search without a result.
func (d *detection) hardwareFrom(file int) (h hardware, ok bool) {
	h = hardware{kind: typeUnknown}
	if file == deviceHbbTV || file == deviceShellTV {
		defer func() { h.kind, ok = typeTV, true }()
	}
	subject := d.restoredSubject()
	if d.hints.model == "" && has(subject, d.rules.checks.desktopSystem) && !has(subject, d.rules.checks.notDesktop) {
		return h, true
	}
	rules := &d.rules.devices[file]
	id, groups, found := subject.First(rules.from, rules.to)
	if !found {
		return h, !php.EmptyString(d.hints.model)
	}
	rule := &rules.brands[id-rules.from]
	if rule.brand != "Unknown" {
		h.brand = rule.brand
	}
	h.setKind(d.tables, rule.device)
	h.model = buildModel(rule.model, groups)
	for i := range rule.models {
		model := &rule.models[i]
		groups, ok := subject.Try(model.pattern)
		if !ok {
			continue
		}
		h.model = buildModel(model.model, groups)
		if _, known := d.tables.brands.byName[model.brand]; known {
			h.brand = model.brand
		}
		h.setKind(d.tables, model.device)
		return h, true
	}
	return h, true
}

func (h *hardware) setKind(t *tables, name string) {
	if number, ok := t.deviceNumbers[name]; ok {
		h.kind = number
	}
}

// Chrome hides version and model: "Android 10; K" stands for every Android device.
var (
	frozen      = regexp.MustCompile(`(?i:android) 10[.0-9]*; [kK](?: (?i:build)/|[;)])`)
	frozenToken = regexp.MustCompile(`Android 10[.0-9]*; K`)
)

// restoredSubject is the user agent with the version and model of the client hints put back where Chrome has hidden them.
func (d *detection) restoredSubject() *pattern.Subject {
	if d.hints.model == "" {
		return d.subject
	}
	if d.restored != nil {
		return d.restored
	}
	d.restored = d.subject
	if frozen.MatchString(d.ua) {
		version := d.hints.platformVersion
		if version == "" {
			version = "10"
		}
		template := "Android " + version + "; " + d.hints.model
		d.restored = d.rules.index.Subject(frozenToken.ReplaceAllStringFunc(d.ua, func(match string) string {
			return replacement(template, match)
		}))
	}
	return d.restored
}
