package device

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// appleSystems run on devices of Apple.
var appleSystems = stringSet("iPadOS", "tvOS", "watchOS", "iOS", "Mac")

// completeHardware fills in and corrects what the device files left open, from system, client and the user agent as it
// came (spec §10.3, step 4, "afterwards").
func (d *detection) completeHardware() {
	h := &d.hardware
	if php.EmptyString(h.model) {
		h.model = d.hints.model
	}
	if php.EmptyString(h.brand) {
		h.brand = d.vendor()
	}
	apple := appleSystems[d.systemName()]
	if h.brand == "Apple" && !apple && (!d.facts.fakeAppleAndroid || d.system.name == "Android") {
		*h = hardware{kind: typeUnknown}
	}
	if apple && php.EmptyString(h.brand) {
		h.brand = "Apple"
	}
	if brand, ok := d.facts.brandIfNone[d.system.name]; ok && php.EmptyString(h.brand) {
		h.brand = brand
	}
	d.guessMobile()
	d.guessPuffin()
	d.guessTV()
	tries := h.kind != typeDesktop && (!d.facts.desktopWord || strings.Contains(d.ua, "Desktop"))
	if tries && d.has(d.rules.checks.desktop) {
		h.kind = typeDesktop
	}
	if h.kind == typeUnknown && d.isDesktop() {
		h.kind = typeDesktop
	}
}

// vendor is the brand whose fragment the user agent holds.
func (d *detection) vendor() string {
	v := &d.rules.vendors
	id, _, ok := d.subject.First(v.from, v.to)
	if !ok {
		return ""
	}
	return v.brands[id-v.from]
}

// guessMobile tells phones, tablets and wearables apart where no device file did.
func (d *detection) guessMobile() {
	kind, c := &d.hardware.kind, &d.rules.checks
	is := func(check int) bool { return *kind == typeUnknown && d.has(check) }
	if is(c.virtualReality) {
		*kind = typeWearable
	}
	if d.system.family == "Android" && is(c.chrome) {
		switch {
		case d.has(c.chromePhone):
			*kind = typeSmartphone
		case d.has(c.chromeTablet):
			*kind = typeTablet
		}
	}
	if *kind == typeSmartphone && d.has(c.padAPad) {
		*kind = typeTablet
	}
	if is(c.tablet) {
		*kind = typeTablet
	}
	if is(c.mobileFragment) {
		*kind = typeSmartphone
	}
	if *kind == typeUnknown && d.system.name == "Android" && d.system.version != "" {
		*kind = kindOfAndroid(d.system.version)
	}
	if *kind == typeFeaturePhone && d.system.family == "Android" {
		*kind = typeSmartphone
	}
	if *kind == typeUnknown && d.system.name == "Java ME" {
		*kind = typeFeaturePhone
	}
	if d.system.name == "KaiOS" && d.facts.kaiOSPhone {
		*kind = typeFeaturePhone
	}
	if d.touchWindows() && is(c.touch) {
		*kind = typeTablet
	}
}

// kindOfAndroid knows the versions that ran on one kind of device only.
func kindOfAndroid(version string) int64 {
	switch {
	case php.VersionCompare(version, "2.0") < 0:
		return typeSmartphone
	case php.VersionCompare(version, "3.0") >= 0 && php.VersionCompare(version, "4.0") < 0:
		return typeTablet
	}
	return typeUnknown
}

// touchWindows reports whether the system is a Windows that tablets run.
func (d *detection) touchWindows() bool {
	return d.system.name == "Windows RT" || d.system.name == "Windows" && php.VersionCompare(d.system.version, "8") >= 0
}

// guessPuffin reads the letter that Puffin's version ends with.
func (d *detection) guessPuffin() {
	if !d.facts.puffinSuffix || d.hardware.kind != typeUnknown {
		return
	}
	switch c := &d.rules.checks; {
	case d.has(c.puffinDesktop):
		d.hardware.kind = typeDesktop
	case d.has(c.puffinPhone):
		d.hardware.kind = typeSmartphone
	case d.has(c.puffinTablet):
		d.hardware.kind = typeTablet
	}
}

func (d *detection) guessTV() {
	h, c := &d.hardware, &d.rules.checks
	if d.has(c.operaTV) || d.facts.tvSystems[d.system.name] {
		h.kind = typeTV
	}
	if brand, ok := d.facts.brandOf[d.system.name]; ok {
		h.brand = brand
	}
	if !d.facts.notTV[h.kind] && d.has(c.androidTV) ||
		h.kind == typeUnknown && d.has(c.smartTV) ||
		d.facts.tvClients[d.client.name] ||
		h.kind == typeUnknown && d.has(c.tv) {
		h.kind = typeTV
	}
}

// isDesktop reports whether the system is one of desktops and the browser is not for mobile devices only.
func (d *detection) isDesktop() bool {
	return d.systemName() != "" && !d.mobileBrowser() && d.tables.desktopFamilies[d.tables.systemFamily(d.system.name)]
}

// isMobile decides whether a device of unknown type is called "generic mobile".
func (d *detection) isMobile() bool {
	if d.hints.mobile {
		return true
	}
	switch d.hardware.kind {
	case typeSmartphone, typeTablet, typeFeaturePhone, typeCamera, typeMediaPlayer, typePhablet:
		return true
	case typeTV, typeSmartDisplay, typeConsole:
		return false
	}
	return d.mobileBrowser() || d.systemName() != "" && !d.isDesktop()
}

func (d *detection) mobileBrowser() bool {
	return d.client.kind == clientBrowser && d.tables.mobileBrowser(d.client.name)
}

// systemName is the name of the system, "" where device-detector takes it for unknown.
func (d *detection) systemName() string {
	if name := d.system.name; !php.EmptyString(name) && name != unknown {
		return name
	}
	return ""
}
