package device

import (
	"regexp"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// facts are what the code of a release of device-detector does, where releases differ (spec §V3.13.3).
// The zero value is not usable: see factsOf.
type facts struct {
	// client hints
	emptyHintsCount   bool // a hint with an empty value replaces an earlier one of the same kind
	taggedHintsCount  bool // … and one with HTML tags in it
	wrongTypesRefused bool // a hint of a wrong type makes Matomo refuse the request
	formFactors       bool // they are read
	formFactorTypes   bool // and give the type of a device whose model is in the hints only
	hintsEndSearch    bool // any hints end the search through the device files, as a model does

	// user agents in which Chrome hides version and model
	frozen          *regexp.Regexp // begins at "Android"
	frozenToken     *regexp.Regexp // what version and model of the hints take the place of
	neverFrozen     string         // clients that say the truth, in any case
	frozenIsUnknown bool           // without a model in the hints no device file is asked
	desktopTokens   []string       // behind these the model is put into user agents of desktops
	notDesktop      string         // pattern of user agents that are no desktop's, whatever else they say

	// operating systems
	androidApps      map[string]bool // apps that run on Android and do not say so
	fireOSVersions   bool            // versions of Android in hints stand for versions of Fire OS …
	onlyKnownFireOS  bool            // … and others for none
	picoVersion      bool            // the version of PICO OS is that of the user agent
	appSystems       bool            // apps that name Lineage OS and Fire OS
	restoredSystem   bool            // the operating system too is read from the user agent with the model in it
	systemExceptions bool            // LeafOS, Chrome OS as Android, Meta Horizon; Fire OS only by the hint's version
	windowsMinor     bool            // Windows 7 to 8.1 by the second number of the hint's version
	puffinVersion    bool            // the version of Puffin OS is that of the user agent

	// browsers
	iridium            *regexp.Regexp  // versions in hints that are those of Iridium
	iridiumEngine      bool            // whose engine is that of the user agent, whatever browser that is
	browser360         bool            // version 15 in hints and 114 in the user agent
	everyBrowserEngine bool            // Every Browser has Blink
	duckVersion        bool            // the version of DuckDuckGo in hints counts
	vewdEngine         bool            // the engine of Vewd is that of the user agent
	edgeGoesOn         bool            // after Edge the search through the brands goes on
	versionFromAgent   map[string]bool // codes of the browsers whose version is that of the user agent, if it has one
	versionAlways      bool            // it is even if it has none
	detailByName       bool            // the longer version of the user agent counts only if both tell of the same browser
	chromiumHints      map[string]bool // names in hints that a browser in the user agent overrules …
	chromiumAgents     map[string]bool // … unless it has one of these codes
	chromiumVersion    bool            // the hint's version stays if it is newer, with the same first number
	engineFromBrands   bool            // Chromium or Android WebView among the brands means Blink
	chromeGoesOn       bool            // after Chrome the search through the brands goes on, past Chromium
	tvBrowserIsBlink   bool            // TV-Browser Internet simulates Firefox
	testersAreNoClient bool            // Cypress and PhantomJS

	// type and brand of a device
	hbbTV, androidTV, desktop string // patterns
	virtualReality            string
	tabletFragment            string
	phoneFragment             string
	chromePhone, chromeTablet string // of Chrome on Android, a tablet only if it is no phone
	fakeAppleAndroid          bool   // of systems that are not Apple's only Android shows that a device is not Apple's
	desktopWord               bool   // the pattern desktop is tried only on user agents with the word Desktop
	hbbTVKeepsType            bool   // a type that televisions.yml gives stays
	puffinSuffix              bool   // the letter after Puffin's version gives the type
	kaiOSPhone                bool   // KaiOS runs on feature phones
	notTV                     map[int64]bool
	tvSystems, tvClients      map[string]bool // operating systems and clients of televisions
	brandOf                   map[string]string
	brandIfNone               map[string]string // the same, if the brand is not known
}

// release is a release of device-detector that changed its code: how it is told by its tables, and what it changed
// since the one before.
type release struct {
	version string
	marks   marks
	change  func(*facts)
}

// marks are codes that a release brought. A table without them is of an earlier release.
type marks struct{ system, browser, brand string }

// head names what came after the newest release that is known: it had no number of its own in August 2026.
const head = "after 6.5.1"

// releases are those that changed code. Between them only tables and patterns changed.
var releases = []release{
	{"6.2.0", marks{}, func(f *facts) {
		f.emptyHintsCount, f.taggedHintsCount, f.wrongTypesRefused = true, true, true
		f.frozen = regexp.MustCompile(`^(?i:android) 10[.0-9]*; [kK](?: (?i:build)/|[;)])`)
		f.frozenToken = regexp.MustCompile(`Android 10[.0-9]*; K`)
		f.notDesktop = notDesktop
		f.androidApps = stringSet("com.hisense.odinbrowser", "com.seraphic.openinet.pre", "com.appssppa.idesktoppcbrowser")
		f.iridium, f.iridiumEngine = regexp.MustCompile(`^(?:2021\.12|2022|2022\.04)$`), true
		f.duckVersion = true
		f.versionFromAgent, f.versionAlways, f.detailByName = stringSet("A0", "HP"), true, true
		f.chromiumHints, f.chromiumAgents = stringSet("Chromium"), stringSet("CR")
		f.hbbTV = `HbbTV/[1-9]\.[0-9]`
		f.androidTV = `Andr0id|(?:Android(?: UHD)?|Google) TV|\(lite\) TV|BRAVIA`
		f.desktop, f.desktopWord = `Desktop (?:x32|x64|WOW64);`, true
		f.virtualReality = ` VR `
		f.tabletFragment, f.phoneFragment = `Android(?: [.0-9]+)?; Tablet;`, `Android(?: [.0-9]+)?; Mobile;`
		f.chromePhone, f.chromeTablet = `(?:Mobile|eliboM) Safari/`, `Safari/`
		f.fakeAppleAndroid = true
		f.tvClients = stringSet("Kylo", "Espial TV Browser", "LUJO TV Browser", "LogicUI TV Browser", "Open TV Browser")
	}},
	{"6.2.1", marks{system: "LUN", browser: "D6", brand: "ALM"}, func(f *facts) {
		f.notDesktop += `|CE-HTML`
		f.androidApps["every.browser.inc"], f.fireOSVersions = true, true
		f.everyBrowserEngine = true
		f.desktop = `Desktop(?: (?:x32|x64|WOW64))?;`
		addAll(f.tvClients, "Seraphic Sraf", "Opera Devices")
	}},
	{"6.3.0", marks{system: "BSN", browser: "A9", brand: "BMW"}, func(f *facts) {
		f.notDesktop += `|PicoBrowser`
		f.iridium, f.iridiumEngine = regexp.MustCompile(`^202[0-4]`), false
		f.duckVersion, f.vewdEngine = false, true
		f.chromePhone, f.chromeTablet = `Mobile|eliboM`, ``
		f.fakeAppleAndroid = false
		addAll(f.tvClients, "Crow Browser", "Vewd Browser", "TiviMate", "Quick Search TV")
	}},
	{"6.3.1", marks{system: "ALP", browser: "CQ", brand: "AIT"}, func(f *facts) {
		f.onlyKnownFireOS, f.picoVersion, f.appSystems = true, true, true
		f.browser360, f.edgeGoesOn = true, true
		f.virtualReality = `Android(?: [.0-9]+)?; Mobile VR;| VR `
		f.tabletFragment += `|.*-tablet$`
		f.phoneFragment += `|.*-mobile$`
		addAll(f.tvClients, "QJY TV Browser", "TV Bro")
	}},
	{"6.3.2", marks{system: "RST", browser: "N6", brand: "ACL"}, func(f *facts) {
		f.tabletFragment += `|Tablet(?! PC)`
	}},
	{"6.4.0", marks{system: "ARO", browser: "JR", brand: "HMD"}, func(f *facts) {
		f.formFactors, f.hintsEndSearch = true, true
		f.androidTV += `| TV$`
		f.versionFromAgent, f.versionAlways = stringSet("A0", "AL", "HP", "JR", "MU", "OM", "OP", "VR"), false
		f.detailByName = false
	}},
	{"6.4.1", marks{system: "PUF", browser: "7I", brand: "BEL"}, func(f *facts) {
		f.formFactorTypes, f.hintsEndSearch = true, false
		f.frozenIsUnknown, f.desktopTokens = true, []string{"X11; Linux x86_64"}
		f.chromiumHints, f.chromiumAgents = stringSet("Chromium", "Chrome Webview"), stringSet("CR", "CV", "AN")
		f.tvBrowserIsBlink, f.puffinSuffix = true, true
	}},
	{"6.4.2", marks{system: "MET", browser: "W2", brand: "CMF"}, func(f *facts) {
		f.emptyHintsCount = false
		f.frozen = regexp.MustCompile(`^(?i:android) (?:10[.0-9]*; [kK](?: (?i:build)/|[;)])|1[1-5]\)) ` + appleWebKit)
		f.frozenToken = regexp.MustCompile(`Android (?:10[.0-9]*; K|1[1-5])`)
		f.restoredSystem, f.systemExceptions, f.windowsMinor = true, true, true
		f.testersAreNoClient = true
	}},
	{"6.4.3", marks{browser: "MP", brand: "STV"}, func(f *facts) {
		f.kaiOSPhone = true
		f.notTV = map[int64]bool{typeTV: true, typePeripheral: true}
	}},
	{"6.4.4", marks{system: "COL", brand: "CAA"}, func(f *facts) {
		f.hbbTV, f.hbbTVKeepsType = `(?:HbbTV|SmartTvA)/[1-9]\.[0-9]`, true
		f.tvSystems = stringSet("Coolita OS")
	}},
	{"6.4.6", marks{browser: "2E", brand: "7XR"}, func(f *facts) {
		f.androidTV += `|Firebolt`
		f.brandOf = map[string]string{"Coolita OS": "coocaa"}
	}},
	{"6.5.0", marks{system: "ARC", browser: "6O", brand: "DEC"}, func(f *facts) {
		f.taggedHintsCount = false
		f.frozen = regexp.MustCompile(`^(?i:android) (?:1[0-6][.0-9]*; [kK](?: (?i:build)/|[;)])|1[0-6]\)) ` + appleWebKit)
		f.neverFrozen = "Telegram-Android/"
		f.chromiumAgents = stringSet("CR", "CV", "AN", "CM")
		f.tvClients["Redline"] = true
	}},
	{"6.5.1", marks{system: "HNX", browser: "V7", brand: "JCK"}, func(f *facts) {
		f.wrongTypesRefused = false
	}},
	{head, marks{system: "HYP", browser: "LP", brand: "YUT"}, func(f *facts) {
		f.frozen = regexp.MustCompile(`^(?i:android) (?:1[0-7][.0-9]*; [kK](?: (?i:build)/|[;)])|1[0-7]\)) ` + appleWebKit)
		f.frozenToken = regexp.MustCompile(`Android (?:10[.0-9]*; K|1[1-7])`)
		f.desktopTokens = append(f.desktopTokens, "Windows NT 10.0; Win64; x64")
		f.puffinVersion = true
		f.chromiumVersion, f.engineFromBrands, f.chromeGoesOn = true, true, true
		f.desktop, f.desktopWord = `(?:Desktop|PC)(?: (?:x32|x64|WOW64))?;`, false
		f.notTV[typeWearable] = true
		f.tvSystems["VIDAA"], f.tvClients["Odin"] = true, true
		f.brandIfNone = map[string]string{"ThinOS": "Dell"}
	}},
}

// notDesktop is what every release looks for.
const notDesktop = ` Mozilla/|Andr[o0]id|Tablet|Mobile|iPhone|Windows Phone|ricoh|OculusBrowser|Lenovo|` +
	`compatible; MSIE|Trident/|Tesla/|XBOX|FBMD/|ARM;[^)]`

const appleWebKit = `(?i:appleweb)[kK](?i:it)`

// Tables of two releases are built in: those of newestTables for everything after oldestTables.
const oldestTables, newestTables = "6.3.2", "6.5.1"

// factsOf are the facts of the n-th release.
func factsOf(n int) *facts {
	f := &facts{}
	for _, r := range releases[:n+1] {
		r.change(f)
	}
	return f
}

// choose finds the release whose rules hold, by VERSION and by what the installation's tables know; t is nil without
// such tables, and oldestTables is taken without both. Of the release 6.5.1 and later the tables decide whether the
// code is what came after it.
func choose(version string, t *tables) (n int, newer, older bool) {
	last := len(releases) - 1 // head
	byTables := 0
	for i, r := range releases {
		if t != nil && t.have(r.marks) || t == nil && r.version == oldestTables {
			byTables = i
		}
	}
	if version == "" {
		return byTables, false, false
	}
	for i := range releases[:last] {
		if php.VersionCompare(version, releases[i].version) >= 0 {
			n = i
		}
	}
	switch newest := releases[last-1].version; {
	case php.VersionCompare(version, newest) > 0:
		return last, true, false
	case version == newest && byTables == last:
		return last, false, false
	}
	return n, false, php.VersionCompare(version, releases[0].version) < 0
}

// have reports whether the tables have all codes of m.
func (t *tables) have(m marks) bool {
	return (m.system == "" || t.systems.known[m.system]) && (m.browser == "" || t.browsers.known[m.browser]) &&
		(m.brand == "" || t.brands.known[m.brand])
}
