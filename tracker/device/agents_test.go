package device_test

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/device/devicetest"
)

// own is the small set of patterns that belongs to the repository.
const own = "../../testdata/device-detector"

func loadOwn(tb testing.TB) *device.Detector {
	tb.Helper()
	return load(tb, os.DirFS(own))
}

// loadOwnAs gives it the rules of a release, with the built-in tables.
func loadOwnAs(tb testing.TB, version string) *device.Detector {
	tb.Helper()
	return load(tb, devicetest.Folder(os.DirFS(own+"/regexes"), devicetest.Version(version)))
}

func load(tb testing.TB, folder fs.FS) *device.Detector {
	tb.Helper()
	d, err := device.Load(folder)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// summary is system, its version, client, its version, engine, client type, device type, brand and model, as in
// spec §D.7.
func summary(d *device.Device) string {
	number := func(valid bool, v int64) string {
		if !valid {
			return "NULL"
		}
		return fmt.Sprint(v)
	}
	return strings.Join([]string{
		d.OS, d.OSVersion, d.BrowserName, d.BrowserVersion, d.Engine,
		number(d.ClientType.Valid, d.ClientType.V), number(d.Type.Valid, d.Type.V), d.Brand, d.Model,
	}, ",")
}

func mustHints(tb testing.TB, d *device.Detector, uadata string) *device.Hints {
	tb.Helper()
	if uadata == "" {
		return nil
	}
	h, err := d.HintsFromParam(decodeJSON(tb, uadata))
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

const (
	webkit    = " AppleWebKit/537.36 (KHTML, like Gecko) "
	windows   = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)" + webkit
	macintosh = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
	frozen    = "Mozilla/5.0 (Linux; Android 10; K)" + webkit + "Chrome/129.0.0.0 Mobile Safari/537.36"
	windowsUA = windows + "Chrome/125.0.0.0 Safari/537.36"
	iPhoneUA  = "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) " +
		"Version/16.5 Mobile/15E148 Safari/604.1"
	iPadUA = "Mozilla/5.0 (iPad; CPU OS 15_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.6 " +
		"Mobile/15E148 Safari/604.1"
	chromeOSUA = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)" + webkit + "Chrome/129.0.0.0 Safari/537.36"
)

// agents are user agents with client hints (uadata) and what Matomo makes of them. All results are those of
// device-detector, the patterns of the repository give the same.
var agents = []struct{ ua, uadata, want string }{
	// nothing known
	{"", "", "UNK,UNK,UNK,,,NULL,NULL,,"},
	{"   ", "", "UNK,UNK,UNK,,,NULL,NULL,,"},
	{"12345", "", "UNK,UNK,UNK,,,NULL,NULL,,"},
	{"", `{"mobile":true}`, "UNK,UNK,UNK,,,NULL,NULL,,generic mobile"},

	// desktops
	{windowsUA, "", "WIN,10,CH,125.0,Blink,1,0,,generic desktop"},
	{windows + "Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0", "", "WIN,10,PS,129.0,Blink,1,0,,generic desktop"},
	{windows + "Chrome/129.0.0.0 Safari/537.36 OPR/114.0.0.0", "", "WIN,10,OP,114.0,Blink,1,0,,generic desktop"},
	{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0", "",
		"WIN,10,FF,131.0,Gecko,1,0,,generic desktop",
	},
	{
		"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "",
		"WIN,7,IE,11.0,Trident,1,0,,generic desktop",
	},
	{
		"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; MDDRJS)", "",
		"WIN,7,IE,8.0,Trident,1,0,DL,generic desktop",
	},
	{
		"Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0; Touch)", "",
		"WIN,8,IE,10.0,Trident,1,2,,generic tablet",
	},
	{
		"Mozilla/5.0 (Windows NT 6.2; ARM; Trident/7.0; Touch; rv:11.0) like Gecko", "",
		"WRT,,IE,11.0,Trident,1,2,,generic tablet",
	},
	{
		macintosh + " AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15", "",
		"MAC,10.15,SF,17.6,WebKit,1,0,AP,generic desktop",
	},
	{macintosh + webkit + "Chrome/27.0.1453.93 Safari/537.36", "", "MAC,10.15,CH,27.0,WebKit,1,0,AP,generic desktop"},
	{
		"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", "",
		"UBT,,FF,131.0,Gecko,1,0,,generic desktop",
	},
	{
		"Mozilla/5.0 (X11; Linux x86_64)" + webkit + "Chrome/129.0.0.0 Safari/537.36", "",
		"LIN,,CH,129.0,Blink,1,0,,generic desktop",
	},
	{chromeOSUA, "", "COS,14541.0,CH,129.0,Blink,1,0,,generic desktop"},

	// phones and tablets
	{iPhoneUA, "", "IOS,16.5,MF,16.5,WebKit,1,1,AP,iPhone"},
	{iPadUA, "", "IPA,15.7,MF,15.6,WebKit,1,2,AP,iPad"},
	{
		"Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro)" + webkit + "Chrome/129.0.0.0 Mobile Safari/537.36", "",
		"AND,14,CM,129.0,Blink,1,1,GO,Pixel 8 Pro",
	},
	{
		"Mozilla/5.0 (Linux; Android 14; SM-S911B)" + webkit + "SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
		"", "AND,14,SB,26.0,Blink,1,1,SA,Galaxy S23",
	},
	{
		"Mozilla/5.0 (Android 13; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0", "",
		"AND,13,FM,131.0,Gecko,1,1,,generic smartphone",
	},
	{
		"Mozilla/5.0 (Android 13; Tablet; rv:131.0) Gecko/131.0 Firefox/131.0", "",
		"AND,13,FM,131.0,Gecko,1,2,,generic tablet",
	},
	{frozen, "", "AND,10,CM,129.0,Blink,1,1,,generic smartphone"},
	{
		"Mozilla/5.0 (Linux; Android 10; K)" + webkit + "Chrome/129.0.0.0 Safari/537.36", "",
		"AND,10,CH,129.0,Blink,1,2,,generic tablet",
	},

	// other clients and devices
	{"curl/7.1", "", "UNK,UNK,curl,7.1,,2,NULL,,"},
	{"Wget/1.21.3", "", "UNK,UNK,Wget,1.21,,2,NULL,,"},
	{
		"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.5.0", "",
		"LIN,,Thunderbird,115.5,,6,0,,generic desktop",
	},
	{"VLC/3.0.9.2 LibVLC/3.0.9.2", "", "UNK,UNK,VLC,3.0,,4,NULL,,"},

	// client hints
	{
		windows + "Chrome/114.0.0.0 Safari/537.36",
		`{"fullVersionList":[{"brand":"Google Chrome","version":"114.0.5735.110"}],"platform":"Windows",
		"platformVersion":"15.0.0"}`, "WIN,11,CH,114.0,Blink,1,0,,generic desktop",
	},
	{
		windowsUA, `{"brands":[{"brand":"Google Chrome","version":"114"}],"platform":"Windows","platformVersion":"0.3.0"}`,
		"WIN,10,CH,114,Blink,1,0,,generic desktop",
	},
	{
		windowsUA, `{"brands":[{"brand":"Chromium","version":"125"},{"brand":"Microsoft Edge","version":"125"}]}`,
		"WIN,10,PS,125,,1,0,,generic desktop",
	},
	{windowsUA, `{"brands":[{"brand":"DuckDuckGo","version":"125"}]}`, "WIN,10,DD,,Blink,1,NULL,,generic mobile"},
	{windowsUA, `{"brands":[{"brand":"Chromium","version":"2023.11"}]}`, "WIN,10,I1,2023.11,Blink,1,0,,generic desktop"},
	{
		windowsUA, `{"brands":[{"brand":"Not=A?Brand","version":"24"}],"uaFullVersion":"125.0.6422.60"}`,
		"WIN,10,CH,125.0,Blink,1,0,,generic desktop",
	},
	{
		frozen, `{"model":"SM-S921B","platform":"Android","platformVersion":"14.0.0","mobile":true}`,
		"AND,14.0,CM,129.0,Blink,1,1,SA,Galaxy S24",
	},
	{
		frozen, `{"model":"Unheard-Of 1","platform":"Android","platformVersion":"14.0.0","mobile":true}`,
		"AND,14.0,CM,129.0,Blink,1,1,,Unheard-Of 1",
	},
	{
		"Mozilla/5.0 (X11; Linux x86_64)" + webkit + "Chrome/129.0.0.0 Safari/537.36", `{"platform":"Linux"}`,
		"LIN,,CH,129.0,Blink,1,0,,generic desktop",
	},
	{chromeOSUA, `{"platform":"Linux","platformVersion":"14541.0.0"}`, "COS,14541.0,CH,129.0,Blink,1,0,,generic desktop"},
	{
		macintosh + webkit + "Chrome/129.0.0.0 Safari/537.36", `{"platform":"MacOS","platformVersion":"14.5.0"}`,
		"MAC,14.5,CH,129.0,Blink,1,0,AP,generic desktop",
	},
	{frozen + " 1", `{"x-requested-with":"org.telegram.messenger"}`, "AND,10,Telegram,,,5,1,,generic smartphone"},
	{frozen + " 2", `{"x-requested-with":"com.duckduckgo.mobile.android"}`, "AND,10,DD,,Blink,1,1,,generic smartphone"},
	{frozen + " 3", `{"x-requested-with":"XMLHttpRequest"}`, "AND,10,CM,129.0,Blink,1,1,,generic smartphone"},
	{frozen + " 4", `{"x-requested-with":"org.lineageos.jelly"}`, "LEN,17.0,JL,,Blink,1,1,,generic smartphone"},
	{frozen + " 5", `{"x-requested-with":"org.mozilla.tv.firefox"}`, "FIR,8,FK,,Blink,1,1,,generic smartphone"},
	{windowsUA, `{"x-requested-with":"every.browser.inc"}`, "AND,,EV,,Blink,1,2,,generic tablet"},
}

// ownAgents are about rules that the small set of patterns reaches in another way than a real one.
var ownAgents = []struct{ ua, uadata, want string }{
	{"Mozilla/5.0 (PlayStation 4 11.00)", "", "PS3,,UNK,,,NULL,4,SO,PlayStation 4"},
	{"Mozilla/5.0 (Linux; Android 14) SmartTV", "", "AND,14,UNK,,,NULL,5,,generic tv"},
	{"HbbTV/1.2.1 (unheard of)", "", "UNK,UNK,UNK,,,NULL,5,,generic tv"},
	{"Telefunken_Shell_ABC123", "", "UNK,UNK,UNK,,,NULL,5,TL,generic tv"},
	{"Opera TV Store/1.0", "", "UNK,UNK,UNK,,,NULL,5,,generic tv"},
	{"Box (TV; x)", "", "UNK,UNK,UNK,,,NULL,5,,generic tv"},
	{"Mozilla/5.0 (Linux; Android 12; Mobile VR; x)", "", "AND,12,UNK,,,NULL,12,,generic wearable"},
	{"Mozilla/5.0 (Linux; Android 1.6; x)", "", "AND,1.6,UNK,,,NULL,1,,generic smartphone"},
	{"Mozilla/5.0 (Linux; Android 3.2; x)", "", "AND,3.2,UNK,,,NULL,2,,generic tablet"},
	{"Mozilla/5.0 (Linux; Android 9; x)", "", "AND,9,UNK,,,NULL,NULL,,generic mobile"},
	{"Android 9 Nokia 3310", "", "AND,9,UNK,,,NULL,1,NK,3310"},
	{"Nokia 3310", "", "UNK,UNK,UNK,,,NULL,3,NK,3310"},
	{"Pixel 7) Pad/APad", "", "UNK,UNK,UNK,,,NULL,2,GO,Pixel 7"},
	{"something Desktop x64; else", "", "UNK,UNK,UNK,,,NULL,0,,generic desktop"},
	{"an Apple-iPhone/1 says Linux", "", "LIN,,UNK,,,NULL,0,,generic desktop"},
	{"FBMD/MacBookPro11,1; Mac OS", "", "MAC,,UNK,,,NULL,0,AP,MacBookPro11,1"},
	{"COOLPIX S800c", "", "UNK,UNK,UNK,,,NULL,8,NN,Coolpix S800c"},
	{"Mozilla (Linux; Android 13; POCO F5 Pro Build/1)", "", "AND,13,UNK,,,NULL,1,0P,F5 Pro"},
	{"Windows NT 10.0; Xbox; Xbox One", "", "WIN,10,UNK,,,NULL,4,MS,Xbox"},
	{"Googlebot/2.1 (+http://www.google.com/bot.html)", "", "BOT,UNK,UNK,,,NULL,NULL,,"},
	{"Googlebot/2.1 (+http://www.google.com/bot.html)", `{"mobile":true}`, "BOT,UNK,UNK,,,NULL,NULL,,generic mobile"},

	// hints
	{"Linux", `{"platform":"Android","platformVersion":"14"}`, "AND,14,UNK,,,NULL,NULL,,generic mobile"},
	{"HarmonyOS 4.0", `{"platform":"Android","platformVersion":"12"}`, "HAR,,UNK,,,NULL,NULL,,generic mobile"},
	{"Windows NT 10.0", `{"platform":"Windows","platformVersion":""}`, "WIN,10,UNK,,,NULL,0,,generic desktop"},
	{"Windows NT 10.0;", `{"platform":"Nothing Known","platformVersion":"7"}`, "WIN,10,UNK,,,NULL,0,,generic desktop"},
	{windowsUA + " ", `{"brands":[{"brand":"360 Secure","version":"15.1"}]}`, "WIN,10,3B,15.1,,1,0,,generic desktop"},
	{
		windows + "Chrome/114.0.0.0", `{"brands":[{"brand":"Google Chrome","version":"15.1"}]}`,
		"WIN,10,3B,15.1,Blink,1,0,,generic desktop",
	},
	{
		windows + "Chrome/114.0.1.0", `{"brands":[{"brand":"Vewd Core","version":"4.2"}]}`,
		"WIN,10,WD,4.2,Blink,1,5,,generic tv",
	},
	{
		windows + "Chrome/114.0.2.0", `{"brands":[{"brand":"Huawei","version":"4.2"}]}`,
		"WIN,10,HP,114.0,Blink,1,0,,generic desktop",
	},
	{
		windows + "Chrome/114.0 OPR/99.0", `{"brands":[{"brand":"Chromium","version":"114.0"}]}`,
		"WIN,10,OP,99.0,Blink,1,0,,generic desktop",
	},
	{"Linux; Android 10; K)", `{"model":"A$1\\0 TD","platformVersion":"11"}`, "AND,10,UNK,,,NULL,NULL,,A$1\\0 TD"},
}

func TestRulesOfDeviceDetector(t *testing.T) {
	d := loadOwn(t)
	for _, a := range ownAgents {
		if got := summary(d.Detect(a.ua, mustHints(t, d, a.uadata))); got != a.want {
			t.Errorf("%s %s\n got %s\nwant %s", a.ua, a.uadata, got, a.want)
		}
	}
}

func TestColumnsOfUserAgents(t *testing.T) {
	d := loadOwn(t)
	for _, a := range agents {
		if got := summary(d.Detect(a.ua, mustHints(t, d, a.uadata))); got != a.want {
			t.Errorf("%s %s\n got %s\nwant %s", a.ua, a.uadata, got, a.want)
		}
	}
}

// The expectations above are true for the patterns of a Matomo installation.
func TestColumnsOfUserAgentsWithMatomosPatterns(t *testing.T) {
	d := loadShared(t)
	for _, a := range agents {
		if got := summary(d.Detect(a.ua, mustHints(t, d, a.uadata))); got != a.want {
			t.Errorf("%s %s\n got %s\nwant %s", a.ua, a.uadata, got, a.want)
		}
	}
}
