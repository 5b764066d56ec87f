package device

import (
	"slices"
	"strings"

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
	typePeripheral   = 13
)

// hardware is the device itself: brand by name, type by number.
type hardware struct {
	kind         int64
	brand, model string
}

// findHardware asks the device files; the first that accepts the user agent decides, even when it knows neither brand
// nor model.
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

// hardwareFrom reads one device file. ok false lets the next file try. A user agent of a desktop, or the model of a
// client hint, ends the search without a result.
func (d *detection) hardwareFrom(file int) (h hardware, ok bool) {
	h = hardware{kind: typeUnknown}
	if file == deviceHbbTV || file == deviceShellTV {
		defer func() {
			if ok = true; h.kind == typeUnknown || file == deviceShellTV || !d.facts.hbbTVKeepsType {
				h.kind = typeTV
			}
		}()
	}
	subject := d.restoredSubject()
	hinted := !php.EmptyString(d.hints.model)
	if !hinted && (d.facts.frozenIsUnknown && d.isFrozen() || d.isDesktopAgent()) {
		return h, true
	}
	rules := &d.rules.devices[file]
	id, groups, found := subject.First(rules.from, rules.to)
	if !found {
		if hinted && d.facts.formFactorTypes {
			h.kind = d.formFactorType()
		}
		return h, hinted || d.hinted && d.facts.hintsEndSearch
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

// formFactorType is the type of the first form factor in the table's order that the hints have.
func (d *detection) formFactorType() int64 {
	for _, f := range d.tables.formFactors {
		if slices.Contains(d.hints.formFactors, f.name) {
			return f.kind
		}
	}
	return typeUnknown
}

// isDesktopAgent reports whether the user agent is one of desktop systems, of whose devices nothing else can be known.
func (d *detection) isDesktopAgent() bool {
	return d.has(d.rules.checks.desktopSystem) && !d.has(d.rules.checks.notDesktop)
}

// isFrozen reports whether Chrome has hidden version and model: "Android 10; K" stands for every Android device.
func (d *detection) isFrozen() bool {
	const android = "Android"
	for i := 0; ; i++ {
		k := strings.Index(d.ua[i:], " 1")
		if k < 0 {
			return false
		}
		i += k
		start := i - len(android)
		if start >= 0 && php.EqualFold(d.ua[start:i], android) && d.facts.frozen.MatchString(d.ua[start:]) {
			break
		}
	}
	never := d.facts.neverFrozen
	return never == "" || !strings.Contains(php.ToLower(d.ua), php.ToLower(never))
}

// restoredSubject is the user agent with the version and model of the client hints put back where Chrome has hidden
// them, and with the model put into that of a desktop.
func (d *detection) restoredSubject() *pattern.Subject {
	if d.hints.model == "" {
		return d.subject
	}
	if d.restored != nil {
		return d.restored
	}
	d.restored = d.subject
	if ua := d.restoredAgent(); ua != d.ua {
		d.restored = d.rules.index.Subject(ua)
	}
	return d.restored
}

func (d *detection) restoredAgent() string {
	if d.isFrozen() {
		version := d.hints.platformVersion
		if version == "" {
			version = "10"
		}
		template := "Android " + version + "; " + d.hints.model
		put := func(match string) string { return replacement(template, match) }
		return d.facts.frozenToken.ReplaceAllStringFunc(d.ua, put)
	}
	ua := d.ua
	if len(d.facts.desktopTokens) > 0 && d.isDesktopAgent() {
		for _, token := range d.facts.desktopTokens {
			ua = strings.ReplaceAll(ua, token, replacement(token+"; "+d.hints.model, token))
		}
	}
	return ua
}
