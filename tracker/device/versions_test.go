package device_test

import (
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/device/devicetest"
)

const (
	mobile   = webkit + "Chrome/129.0.0.0 Mobile Safari/537.36"
	chromium = "Mozilla/5.0 (X11; Linux x86_64)" + webkit + "Chrome/129.0.0.0 Safari/537.36"
	galaxy   = `{"model":"SM-S911B","platform":"Android","platformVersion":"13.0"}`
)

// borders are user agents that two releases in succession see differently; some show what a change left alone.
var borders = []struct{ before, since, ua, uadata, wantBefore, wantSince string }{
	// 6.2.1
	{"6.2.0", "6.2.1", "Desktop;", "", "UNK,UNK,UNK,,,NULL,NULL,,", "UNK,UNK,UNK,,,NULL,0,,generic desktop"},
	{
		"6.2.0", "6.2.1", "Desktop x64;", "",
		"UNK,UNK,UNK,,,NULL,0,,generic desktop", "UNK,UNK,UNK,,,NULL,0,,generic desktop",
	},
	{
		"6.2.0", "6.2.1", "Seraphic Sraf/1.2", "",
		"UNK,UNK,Seraphic Sraf,1.2,,5,NULL,,", "UNK,UNK,Seraphic Sraf,1.2,,5,5,,generic tv",
	},
	{
		"6.2.0", "6.2.1", "x", `{"brands":[{"brand":"Every","version":"2.1"}]}`,
		"UNK,UNK,EV,2.1,,1,NULL,,generic mobile", "UNK,UNK,EV,2.1,Blink,1,NULL,,generic mobile",
	},
	{
		"6.2.0", "6.2.1", "Windows NT 10.0", `{"x-requested-with":"every.browser.inc"}`,
		"WIN,10,EV,,,1,NULL,,generic mobile", "AND,,EV,,Blink,1,NULL,,generic mobile",
	},
	{
		"6.2.0", "6.2.1", "FireOS/7", `{"platform":"Android","platformVersion":"11.0"}`,
		"FIR,11.0,UNK,,,NULL,NULL,,generic mobile", "FIR,8,UNK,,,NULL,NULL,,generic mobile",
	},
	{
		"6.2.0", "6.2.1", "(Windows NT 10.0; Pixel 7) CE-HTML", "",
		"WIN,10,UNK,,,NULL,0,,generic desktop", "WIN,10,UNK,,,NULL,1,GO,Pixel 7",
	},

	// 6.3.0
	{ // a device of Apple with another system
		"6.2.1", "6.3.0", "FBMD/iPhone14,3; Apple-iPhone/1", `{"platform":"Windows","platformVersion":"13"}`,
		"WIN,11,UNK,,,NULL,1,AP,iPhone", "WIN,11,UNK,,,NULL,0,,generic desktop",
	},
	{
		"6.2.1", "6.3.0", "FBMD/iPhone14,3; Apple-iPhone/1", `{"platform":"Android","platformVersion":"13"}`,
		"AND,13,UNK,,,NULL,NULL,,generic mobile", "AND,13,UNK,,,NULL,NULL,,generic mobile",
	},
	{
		"6.2.1", "6.3.0", "(Linux; Android 14; x) Chrome/129.0 Mobile", "",
		"AND,14,CM,129.0,Blink,1,NULL,,generic mobile", "AND,14,CM,129.0,Blink,1,1,,generic smartphone",
	},
	{
		"6.2.1", "6.3.0", "(Linux; Android 14; x) Chrome/129.0", "",
		"AND,14,CH,129.0,Blink,1,NULL,,generic mobile", "AND,14,CH,129.0,Blink,1,2,,generic tablet",
	},
	{
		"6.2.1", "6.3.0", "(Linux; Android 14; x) Chrome/129.0 Safari/5", "",
		"AND,14,CH,129.0,Blink,1,2,,generic tablet", "AND,14,CH,129.0,Blink,1,2,,generic tablet",
	},
	{
		"6.2.1", "6.3.0", "(Linux; Android 14; x) Chrome/129.0 Mobile Safari/5", "",
		"AND,14,CM,129.0,Blink,1,1,,generic smartphone", "AND,14,CM,129.0,Blink,1,1,,generic smartphone",
	},
	{
		"6.2.1", "6.3.0", "Crow Browser/1.2", "",
		"UNK,UNK,Crow Browser,1.2,,5,NULL,,", "UNK,UNK,Crow Browser,1.2,,5,5,,generic tv",
	},
	{
		"6.2.1", "6.3.0", "x", `{"brands":[{"brand":"Vivaldi","version":"2023.1"}]}`,
		"UNK,UNK,VI,2023.1,,1,NULL,,", "UNK,UNK,I1,2023.1,,1,NULL,,",
	},
	{
		"6.2.1", "6.3.0", "TVBrowser/3.1", `{"brands":[{"brand":"Vivaldi","version":"2022.04"}]}`,
		"UNK,UNK,I1,2022.04,Gecko,1,NULL,,", "UNK,UNK,I1,2022.04,,1,NULL,,",
	},
	{
		"6.2.1", "6.3.0", "x", `{"brands":[{"brand":"DuckDuckGo","version":"5.1"}]}`,
		"UNK,UNK,DD,5.1,,1,NULL,,generic mobile", "UNK,UNK,DD,,,1,NULL,,generic mobile",
	},
	{
		"6.2.1", "6.3.0", "TVBrowser/3.1", `{"brands":[{"brand":"Vewd","version":"5.1"}]}`,
		"UNK,UNK,WD,5.1,,1,NULL,,", "UNK,UNK,WD,5.1,Gecko,1,5,,generic tv",
	},
	{
		"6.2.1", "6.3.0", "(Windows NT 10.0; Pixel 7) PicoBrowser", "",
		"WIN,10,UNK,,,NULL,0,,generic desktop", "WIN,10,UNK,,,NULL,1,GO,Pixel 7",
	},

	// 6.3.1
	{
		"6.3.0", "6.3.1", windows + "Chrome/114.0", `{"brands":[{"brand":"Vivaldi","version":"15.1"}]}`,
		"WIN,10,VI,15.1,Blink,1,0,,generic desktop", "WIN,10,3B,15.1,Blink,1,0,,generic desktop",
	},
	{
		"6.3.0", "6.3.1", "x", `{"brands":[{"brand":"Microsoft Edge","version":"98"},{"brand":"Vivaldi","version":"5.1"}]}`,
		"UNK,UNK,PS,98,,1,NULL,,", "UNK,UNK,VI,5.1,,1,NULL,,",
	},
	{
		"6.3.0", "6.3.1", "(Android 9; Mobile VR; x)", "",
		"AND,9,UNK,,,NULL,NULL,,generic mobile", "AND,9,UNK,,,NULL,12,,generic wearable",
	},
	{"6.3.0", "6.3.1", "some-tablet", "", "UNK,UNK,UNK,,,NULL,NULL,,", "UNK,UNK,UNK,,,NULL,2,,generic tablet"},
	{"6.3.0", "6.3.1", "some-mobile", "", "UNK,UNK,UNK,,,NULL,NULL,,", "UNK,UNK,UNK,,,NULL,1,,generic smartphone"},
	{"6.3.0", "6.3.1", "TV Bro/1.2", "", "UNK,UNK,TV Bro,1.2,,5,NULL,,", "UNK,UNK,TV Bro,1.2,,5,5,,generic tv"},
	{
		"6.3.0", "6.3.1", "PICOOS/5.4", `{"platform":"Android","platformVersion":"10"}`,
		"PIC,10,UNK,,,NULL,NULL,,generic mobile", "PIC,5.4,UNK,,,NULL,NULL,,generic mobile",
	},
	{
		"6.3.0", "6.3.1", "FireOS/7", `{"platform":"Android","platformVersion":"12.0"}`,
		"FIR,12.0,UNK,,,NULL,NULL,,generic mobile", "FIR,,UNK,,,NULL,NULL,,generic mobile",
	},
	{
		"6.3.0", "6.3.1", "x", `{"platform":"Android","platformVersion":"11.0","x-requested-with":"org.lineageos.jelly"}`,
		"AND,11.0,JL,,,1,NULL,,generic mobile", "LEN,18.0,JL,,,1,NULL,,generic mobile",
	},
	{
		"6.3.0", "6.3.1", "x", `{"platform":"Android","platformVersion":"11.0","x-requested-with":"org.mozilla.tv.firefox"}`,
		"AND,11.0,FK,,,1,NULL,,generic mobile", "FIR,8,FK,,,1,NULL,,generic mobile",
	},

	// 6.3.2
	{"6.3.1", "6.3.2", "Tablet x", "", "UNK,UNK,UNK,,,NULL,NULL,,", "UNK,UNK,UNK,,,NULL,2,,generic tablet"},
	{"6.3.1", "6.3.2", "Tablet PC", "", "UNK,UNK,UNK,,,NULL,NULL,,", "UNK,UNK,UNK,,,NULL,NULL,,"},

	// 6.4.0
	{"6.3.2", "6.4.0", "Box 1 TV", "", "UNK,UNK,UNK,,,NULL,NULL,,", "UNK,UNK,UNK,,,NULL,5,,generic tv"},
	{
		"6.3.2", "6.4.0", windows + "Chrome/129.0.0.0 Safari/537.36 OPR/84.0.1",
		`{"brands":[{"brand":"Opera","version":"98.0"}]}`,
		"WIN,10,OP,98.0,Blink,1,0,,generic desktop", "WIN,10,OP,84.0,Blink,1,0,,generic desktop",
	},
	{ // without a version in the user agent
		"6.3.2", "6.4.0", "Windows NT 10.0;", `{"brands":[{"brand":"Huawei","version":"4.2"}]}`,
		"WIN,10,HP,,,1,0,,generic desktop", "WIN,10,HP,4.2,,1,0,,generic desktop",
	},
	{ // the longer version of another browser
		"6.3.2", "6.4.0", windows + "Chrome/125.7.0.0 Safari/537.36", `{"brands":[{"brand":"Vivaldi","version":"125"}]}`,
		"WIN,10,VI,125,Blink,1,0,,generic desktop", "WIN,10,VI,125.7,Blink,1,0,,generic desktop",
	},
	{ // hints without a model end the search, in this release only
		"6.3.2", "6.4.0", "FBMD/iPhone14,3; Apple-iPhone/1", `{"mobile":true}`,
		"IOS,,UNK,,,NULL,1,AP,iPhone", "IOS,,UNK,,,NULL,NULL,AP,generic mobile",
	},

	// 6.4.1
	{
		"6.4.0", "6.4.1", "FBMD/iPhone14,3; Apple-iPhone/1", `{"mobile":true}`,
		"IOS,,UNK,,,NULL,NULL,AP,generic mobile", "IOS,,UNK,,,NULL,1,AP,iPhone",
	},
	{"6.4.0", "6.4.1", "Puffin/10.1.2WD", "", "UNK,UNK,UNK,,,NULL,NULL,,", "UNK,UNK,UNK,,,NULL,0,,generic desktop"},
	{"6.4.0", "6.4.1", "Puffin/10.1.2AP", "", "UNK,UNK,UNK,,,NULL,NULL,,", "UNK,UNK,UNK,,,NULL,1,,generic smartphone"},
	{"6.4.0", "6.4.1", "Puffin/10.1.2IT", "", "UNK,UNK,UNK,,,NULL,NULL,,", "UNK,UNK,UNK,,,NULL,2,,generic tablet"},
	{
		"6.4.0", "6.4.1", windows + "Chrome/114.0 OPR/99.0", `{"brands":[{"brand":"Android WebView","version":"114.0"}]}`,
		"WIN,10,CV,114.0,,1,0,,generic desktop", "WIN,10,OP,99.0,Blink,1,0,,generic desktop",
	},
	{
		"6.4.0", "6.4.1", "x", `{"model":"y","formFactors":["Desktop","EInk","Watch"]}`,
		"UNK,UNK,UNK,,,NULL,NULL,,y", "UNK,UNK,UNK,,,NULL,12,,y",
	},
	{
		"6.4.0", "6.4.1", "x", `{"model":"y","sec-ch-ua-form-factors":"\"Tablet\", \"EInk\""}`,
		"UNK,UNK,UNK,,,NULL,NULL,,y", "UNK,UNK,UNK,,,NULL,2,,y",
	},
	{ // the model in the user agent of a desktop
		"6.4.0", "6.4.1", chromium, `{"model":"Pixel 7"}`,
		"LIN,,CH,129.0,Blink,1,0,,Pixel 7", "LIN,,CH,129.0,Blink,1,1,GO,Pixel 7",
	},
	{ // what stands behind "K" does not count
		"6.4.0", "6.4.1", "(Linux; Android 10; K) Pixel 7) Chrome/1.0", "",
		"AND,10,CH,1.0,WebKit,1,1,GO,Pixel 7", "AND,10,CH,1.0,WebKit,1,2,,generic tablet",
	},
	{
		"6.4.0", "6.4.1", "TVBrowser/3.1", "",
		"UNK,UNK,T4,3.1,Gecko,1,NULL,,", "UNK,UNK,T4,3.1,Blink,1,NULL,,",
	},

	// 6.4.2
	{ // the system too is read with the model in the user agent
		"6.4.1", "6.4.2", chromium, `{"model":"FireOS/7"}`,
		"LIN,,CH,129.0,Blink,1,0,,FireOS/7", "FIR,7,CH,129.0,Blink,1,2,,FireOS/7",
	},
	{
		"6.4.1", "6.4.2", "FireOS/7", `{"platform":"Android"}`,
		"FIR,6,UNK,,,NULL,NULL,,generic mobile", "FIR,7,UNK,,,NULL,NULL,,generic mobile",
	},
	{
		"6.4.1", "6.4.2", "LeafOS/7", `{"platform":"Android","platformVersion":"13"}`,
		"LEA,13,UNK,,,NULL,NULL,,generic mobile", "LEA,,UNK,,,NULL,NULL,,generic mobile",
	},
	{
		"6.4.1", "6.4.2", "MetaHorizon/7", `{"platform":"Linux","platformVersion":"13"}`,
		"LIN,13,UNK,,,NULL,0,,generic desktop", "MET,13,UNK,,,NULL,NULL,,generic mobile",
	},
	{
		"6.4.1", "6.4.2", windows + "Chrome/1.0 Cypress", "",
		"WIN,10,CH,1.0,WebKit,1,0,,generic desktop", "WIN,10,UNK,,,NULL,0,,generic desktop",
	},
	{
		"6.4.1", "6.4.2", "Windows NT 10.0", `{"platform":"Windows","platformVersion":"0.1.0"}`,
		"WIN,10,UNK,,,NULL,0,,generic desktop", "WIN,7,UNK,,,NULL,0,,generic desktop",
	},
	{
		"6.4.1", "6.4.2", "Windows NT 10.0", `{"platform":"Windows","platformVersion":"0.3"}`,
		"WIN,10,UNK,,,NULL,0,,generic desktop", "WIN,8.1,UNK,,,NULL,0,,generic desktop",
	},
	{
		"6.4.1", "6.4.2", "Windows NT 10.0", `{"platform":"Windows","platformVersion":"0.0.0"}`,
		"WIN,10,UNK,,,NULL,0,,generic desktop", "WIN,0.0,UNK,,,NULL,0,,generic desktop",
	},
	{
		"6.4.1", "6.4.2", chromeOSUA, `{"platform":"Android","platformVersion":"13"}`,
		"AND,13,CH,129.0,Blink,1,2,,generic tablet", "COS,,CH,129.0,Blink,1,0,,generic desktop",
	},
	{ // the version of Android in frozen user agents
		"6.4.1", "6.4.2", "Mozilla/5.0 (Linux; Android 13)" + mobile, galaxy,
		"AND,13.0,CM,129.0,Blink,1,1,,SM-S911B", "AND,13.0,CM,129.0,Blink,1,1,SA,Galaxy S23",
	},
	{
		"6.4.1", "6.4.2", windowsUA, `{"platform":"MacOS","http-sec-ch-ua-platform":""}`,
		"WIN,10,CH,125.0,Blink,1,0,,generic desktop", "MAC,,CH,125.0,Blink,1,0,AP,generic desktop",
	},

	// 6.4.3
	{
		"6.4.2", "6.4.3", "KAIOS/2.5 (Android; Mobile; x)", "",
		"KOS,2.5,UNK,,,NULL,1,,generic smartphone", "KOS,2.5,UNK,,,NULL,3,,generic feature phone",
	},
	{"6.4.2", "6.4.3", "Dongle BRAVIA", "", "ADR,,UNK,,,NULL,5,SO,Dongle", "ADR,,UNK,,,NULL,13,SO,Dongle"},

	// 6.4.4
	{"6.4.3", "6.4.4", "SmartTvA/1.2 Stick", "", "UNK,UNK,UNK,,,NULL,5,,generic tv", "UNK,UNK,UNK,,,NULL,13,SO,Stick"},
	{"6.4.3", "6.4.4", "HbbTV/1.2 Stick", "", "UNK,UNK,UNK,,,NULL,5,SO,Stick", "UNK,UNK,UNK,,,NULL,13,SO,Stick"},
	{"6.4.3", "6.4.4", "Coolita OS", "", "COL,,UNK,,,NULL,0,,generic desktop", "COL,,UNK,,,NULL,5,,generic tv"},

	// 6.4.6
	{"6.4.5", "6.4.6", "Coolita OS", "", "COL,,UNK,,,NULL,5,,generic tv", "COL,,UNK,,,NULL,5,CAA,generic tv"},
	{"6.4.5", "6.4.6", "Firebolt", "", "UNK,UNK,UNK,,,NULL,NULL,,", "UNK,UNK,UNK,,,NULL,5,,generic tv"},

	// 6.5.0
	{
		"6.4.8", "6.5.0", "Mozilla/5.0 (Linux; Android 12; K)" + mobile, `{"model":"SM-S911B"}`,
		"AND,12,CM,129.0,Blink,1,1,,SM-S911B", "AND,10,CM,129.0,Blink,1,1,SA,Galaxy S23",
	},
	{
		"6.4.8", "6.5.0", "Mozilla/5.0 (Linux; Android 10; K)" + webkit +
			"Chrome/1 Mobile Telegram-Android/11", `{"model":"SM-S911B"}`,
		"AND,10,CM,1,WebKit,1,1,SA,Galaxy S23", "AND,10,CM,1,WebKit,1,1,,SM-S911B",
	},
	{
		"6.4.8", "6.5.0", "Mozilla/5.0 (Linux; Android 14; x)" +
			mobile, `{"brands":[{"brand":"Chromium","version":"128.0"}]}`,
		"AND,14,CM,129.0,Blink,1,1,,generic smartphone", "AND,14,CR,128.0,Blink,1,1,,generic smartphone",
	},
	{
		"6.4.8", "6.5.0", "x", `{"model":"<b>y","platform":"Android"}`,
		"AND,,UNK,,,NULL,NULL,,<b>y", "AND,,UNK,,,NULL,NULL,,generic mobile",
	},
	{"6.4.8", "6.5.0", "Redline/1.2", "", "UNK,UNK,Redline,1.2,,5,NULL,,", "UNK,UNK,Redline,1.2,,5,5,,generic tv"},

	// 6.5.1
	{"6.5.0", "6.5.1", "x", `{"model":5,"platform":"Android"}`, "refused", "AND,,UNK,,,NULL,NULL,,generic mobile"},
	{
		"6.5.0", "6.5.1", "x", `{"sec-ch-ua":["a"],"platform":"Android"}`,
		"refused", "AND,,UNK,,,NULL,NULL,,generic mobile",
	},
	{"6.5.0", "6.5.1", "x", `{"x-requested-with":true,"model":"y"}`, "refused", "UNK,UNK,UNK,,,NULL,NULL,,y"},
	{
		"6.5.0", "6.5.1", "x", `{"formFactors":["mobile",5],"model":"y"}`,
		"UNK,UNK,UNK,,,NULL,1,,y", "UNK,UNK,UNK,,,NULL,NULL,,y",
	},
	{"6.5.0", "6.5.1", "x", `{"formFactors":["mobile",["x"]],"model":"y"}`, "refused", "UNK,UNK,UNK,,,NULL,NULL,,y"},
	{"6.5.0", "6.5.1", "x", `{"formFactors":true,"model":"y"}`, "refused", "UNK,UNK,UNK,,,NULL,NULL,,y"},
	{"6.5.0", "6.5.1", windowsUA, `{"brands":[{"brand":"Opera","version":5}]}`, "refused", "refused"},

	// after 6.5.1
	{"6.5.1", "6.5.2", "PC x64;", "", "UNK,UNK,UNK,,,NULL,NULL,,", "UNK,UNK,UNK,,,NULL,0,,generic desktop"},
	{
		"6.5.1", "6.5.2", "PuffinOS/2.4", `{"platform":"Puffin OS","platformVersion":"13"}`,
		"PUF,13,UNK,,,NULL,NULL,,generic mobile", "PUF,2.4,UNK,,,NULL,NULL,,generic mobile",
	},
	{"6.5.1", "6.5.2", "ThinOS", "", "UNK,,UNK,,,NULL,NULL,,generic mobile", "UNK,,UNK,,,NULL,NULL,DL,generic mobile"},
	{"6.5.1", "6.5.2", "VIDAA", "", "VID,,UNK,,,NULL,0,,generic desktop", "VID,,UNK,,,NULL,5,,generic tv"},
	{"6.5.1", "6.5.2", " VR BRAVIA", "", "ADR,,UNK,,,NULL,5,,generic tv", "ADR,,UNK,,,NULL,12,,generic wearable"},
	{"6.5.1", "6.5.2", "Odin/1.2", "", "UNK,UNK,Odin,1.2,,5,NULL,,", "UNK,UNK,Odin,1.2,,5,5,,generic tv"},
	{
		"6.5.1", "6.5.2", windowsUA, `{"model":"Pixel 7"}`,
		"WIN,10,CH,125.0,Blink,1,0,,Pixel 7", "WIN,10,CH,125.0,Blink,1,1,GO,Pixel 7",
	},
	{
		"6.5.1", "6.5.2", "Mozilla/5.0 (Linux; Android 17)" + mobile, `{"model":"SM-S911B","platformVersion":"17"}`,
		"AND,17,CM,129.0,Blink,1,1,,SM-S911B", "AND,17,CM,129.0,Blink,1,1,SA,Galaxy S23",
	},
	{
		"6.5.1", "6.5.2", "Windows NT 10.0",
		`{"brands":[{"brand":"Vivaldi","version":"7.1"},{"brand":"Chromium","version":"134"}]}`,
		"WIN,10,VI,7.1,,1,0,,generic desktop", "WIN,10,VI,7.1,Blink,1,0,,generic desktop",
	},
	{ // Opera after Chrome
		"6.5.1", "6.5.2", "Windows NT 10.0",
		`{"brands":[{"brand":"Google Chrome","version":"134"},{"brand":"Vivaldi","version":"7.1"}]}`,
		"WIN,10,CH,134,,1,0,,generic desktop", "WIN,10,VI,7.1,,1,0,,generic desktop",
	},
	{ // Chromium after Chrome
		"6.5.1", "6.5.2", "Windows NT 10.0",
		`{"brands":[{"brand":"Google Chrome","version":"134.5"},{"brand":"Chromium","version":"134"}]}`,
		"WIN,10,CH,134.5,,1,0,,generic desktop", "WIN,10,CH,134.5,Blink,1,0,,generic desktop",
	},
	{
		"6.5.1", "6.5.2", windows + "Chrome/99.1 OPR/99.0", `{"brands":[{"brand":"Chromium","version":"99.5"}]}`,
		"WIN,10,OP,99.0,Blink,1,0,,generic desktop", "WIN,10,OP,99.5,Blink,1,0,,generic desktop",
	},
	{
		"6.5.1", "6.5.2", windowsUA,
		`{"brands":[{"brand":"Google Chrome","version":"134.5"},{"brand":"Chromium","version":134}]}`,
		"WIN,10,CH,134.5,Blink,1,0,,generic desktop", "refused",
	},
}

func TestReleasesDifferAtTheirBorders(t *testing.T) {
	detectors := map[string]*device.Detector{}
	detect := func(version, ua, uadata string) string {
		d := detectors[version]
		if d == nil {
			d = load(t, devicetest.Folder(borderFiles(t), devicetest.Version(version)))
			detectors[version] = d
		}
		fresh, err := d.Forgetful()
		if err != nil {
			t.Fatal(err)
		}
		var hints *device.Hints
		if uadata != "" {
			if hints, err = d.HintsFromParam(decodeJSON(t, uadata)); err != nil {
				return "refused"
			}
		}
		found := fresh.Detect(ua, hints)
		if found.Refused != nil {
			return "refused"
		}
		return summary(found)
	}
	for _, b := range borders {
		if got := detect(b.before, b.ua, b.uadata); got != b.wantBefore {
			t.Errorf("%s: %s %s\n got %s\nwant %s", b.before, b.ua, b.uadata, got, b.wantBefore)
		}
		if got := detect(b.since, b.ua, b.uadata); got != b.wantSince {
			t.Errorf("%s: %s %s\n got %s\nwant %s", b.since, b.ua, b.uadata, got, b.wantSince)
		}
	}
}

// borderFiles are the patterns of the repository with some systems and clients more.
func borderFiles(t *testing.T) fstest.MapFS {
	t.Helper()
	files := ownFiles(t)
	add := func(file, text string) {
		files[file] = &fstest.MapFile{Data: append([]byte(text), files[file].Data...)}
	}
	for _, system := range []string{"Coolita OS", "ThinOS", "VIDAA"} {
		add("oss.yml", "- regex: '"+system+"'\n  name: '"+system+"'\n  version: ''\n")
	}
	for token, system := range map[string]string{
		"KAIOS": "KaiOS", "FireOS": "Fire OS", "LeafOS": "LeafOS", "MetaHorizon": "Meta Horizon", "PuffinOS": "Puffin OS",
		"PICOOS": "PICO OS",
	} {
		add("oss.yml", "- regex: '"+token+"/([\\d.]+)'\n  name: '"+system+"'\n  version: '$1'\n")
	}
	add("client/browsers.yml",
		"- regex: 'TVBrowser/([\\d.]+)'\n  name: 'TV-Browser Internet'\n  version: '$1'\n  engine:\n    default: 'Gecko'\n")
	add("device/televisions.yml", "Sony:\n  regex: 'Stick'\n  device: 'peripheral'\n  model: 'Stick'\n")
	add("device/mobiles.yml", "Sony:\n  regex: 'Dongle'\n  device: 'peripheral'\n  model: 'Dongle'\n")
	for _, app := range []string{"Redline", "Odin", "Seraphic Sraf", "Crow Browser", "TV Bro"} {
		add("client/mobile_apps.yml", "- regex: '"+app+"/([\\d.]+)'\n  name: '"+app+"'\n  version: '$1'\n")
	}
	return files
}

func TestReleaseIsToldByVersionOrTables(t *testing.T) {
	newer, older := `{"operating_systems":{"HYP":"a"},"browsers":{"LP":"a"},"device_brands":{"YUT":"a"}}`, `{}`
	for _, c := range []struct {
		version, tables, rules string
		newer, older           bool
	}{
		{"6.1.6", older, "6.2.0", false, true},
		{"6.2.0-rc1", older, "6.2.0", false, true},
		{"6.2.0", older, "6.2.0", false, false},
		{"6.2.1", newer, "6.2.1", false, false},
		{"6.3.0", older, "6.3.0", false, false},
		{"6.3.1", older, "6.3.1", false, false},
		{"6.3.2", older, "6.3.2", false, false},
		{"6.3.10", older, "6.3.2", false, false},
		{"6.4.0", older, "6.4.0", false, false},
		{"6.4.1", older, "6.4.1", false, false},
		{"6.4.2", older, "6.4.2", false, false},
		{"6.4.3", older, "6.4.3", false, false},
		{"6.4.4", older, "6.4.4", false, false},
		{"6.4.5", older, "6.4.4", false, false},
		{"6.4.6", older, "6.4.6", false, false},
		{"6.4.8", newer, "6.4.6", false, false},
		{"6.5.0", newer, "6.5.0", false, false},
		{"6.5.1", older, "6.5.1", false, false},
		{"6.5.1", newer, "after 6.5.1", false, false},
		{"6.5.2", older, "after 6.5.1", true, false},
		{"7.0.0-rc1", older, "after 6.5.1", true, false},
		{"", older, "6.2.0", false, false},
		{"", newer, "after 6.5.1", false, false},
		{"", `{"operating_systems":{"MET":"a"},"browsers":{"W2":"a"},"device_brands":{"CMF":"a"}}`, "6.4.2", false, false},
		{"", `{"operating_systems":{"MET":"a"},"browsers":{},"device_brands":{"CMF":"a"}}`, "6.2.0", false, false},
	} {
		files := phpFiles(t, c.version, c.tables)
		if c.version == "" {
			delete(files, "DeviceDetector.php")
		}
		got := load(t, devicetest.Folder(os.DirFS(own+"/regexes"), files)).Found()
		if got.Version != c.version || got.Rules != c.rules || got.Newer != c.newer || got.Older != c.older ||
			got.BuiltInTables != "" {
			t.Errorf("%s %s: %+v, want %+v", c.version, c.tables, got, c)
		}
	}
}

// phpFiles are PHP files of small tables: those given, and one entry in each other.
func phpFiles(t testing.TB, version, tables string) fstest.MapFS {
	t.Helper()
	small := `{"operating_systems":{"AND":"Android"},"os_families":{"Android":["AND"]},"os_desktopOsArray":["Mac"],"os_clientHintMapping":{"Mac":["MacOS"]},
		"os_fireOsVersionMapping":{"1":"2"},"os_lineageOsVersionMapping":{"1":"2"},"browsers":{"CH":"Chrome"},"browser_families":{"Chrome":["CH"]},
		"browser_mobileOnlyBrowsers":["CH"],"browser_clientHintMapping":{"Chrome":["Google Chrome"]},"browser_engines":["Blink"],
		"device_types":{"desktop":0},"device_brands":{"AP":"Apple"}}`
	all := decodeJSON(t, small).Array()
	for name, table := range decodeJSON(t, tables).Array().All() {
		if table.Array().Len() > 0 {
			all.Set(name, table)
		}
	}
	files, err := devicetest.PHP(version, all)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTablesThatCannotBeReadAreBuiltIn(t *testing.T) {
	for _, c := range []struct{ version, file, content, tables, problem string }{
		{"6.5.1", "", "", "", ""},
		{"6.5.1", "Parser/OperatingSystem.php", "", "6.5.1", "Parser/OperatingSystem.php"},
		{"6.4.0", "Parser/Client/Browser/Engine.php", "", "6.5.1", "Parser/Client/Browser/Engine.php"},
		{"6.3.2", "Parser/Device/AbstractDeviceParser.php", "", "6.3.2", "Parser/Device/AbstractDeviceParser.php"},
		{
			"6.5.1", "Parser/Client/Browser/Engine.php", "<?php class Engine {\n static $availableEngines = [self::x()]; }", "6.5.1",
			"Parser/Client/Browser/Engine.php:2: $availableEngines: constant Engine::x is not in this file",
		},
		{
			"6.5.1", "Parser/Client/Browser/Engine.php", "<?php class Engine { static $availableEngines = [[1]]; }", "6.5.1",
			"Parser/Client/Browser/Engine.php: $availableEngines: an entry is no text",
		},
		{
			"6.5.1", "Parser/Client/Browser/Engine.php", "<?php class Engine { static $availableEngines = 'x'; }", "6.5.1",
			"Parser/Client/Browser/Engine.php: $availableEngines: no array, or an empty one",
		},
		{
			"6.5.1", "Parser/Device/AbstractDeviceParser.php", "<?php class A { static $deviceTypes = ['x' => 300]; static " +
				"$deviceBrands = ['a' => 'A']; }",
			"6.5.1", `Parser/Device/AbstractDeviceParser.php: $deviceTypes: type "x" has no number from 0 to 255`,
		},
		{
			"6.5.1", "DeviceDetector.php", "<?php class A { const VERSION = 'x'; }", "",
			`DeviceDetector.php: VERSION: "x" is no version`,
		},
	} {
		files := phpFiles(t, c.version, `{}`)
		if c.content != "" {
			files[c.file] = &fstest.MapFile{Data: []byte(c.content)}
		} else {
			delete(files, c.file)
		}
		found := load(t, devicetest.Folder(os.DirFS(own+"/regexes"), files)).Found()
		if got := strings.Join(found.Problems, "\n"); found.BuiltInTables != c.tables ||
			!strings.Contains(got, c.problem) || (got == "") != (c.problem == "") {
			t.Errorf("%s %s: %+v, want tables of %q and %q", c.version, c.file, found, c.tables, c.problem)
		}
	}
}

func TestWarningsNameWhatIsNotKnown(t *testing.T) {
	const engine = "Parser/Client/Browser/Engine.php"
	for _, c := range []struct {
		version, without string
		want             []string // parts of the warnings
	}{
		{"6.2.0", "", nil},
		{"6.5.1", "", nil},
		{"6.1.6", "", []string{"6.1.6 is older than all that are known: devices are told by the rules of 6.2.0"}},
		{"6.6.0", "", []string{"6.6.0 is newer than all that are known: devices are told by the rules of after 6.5.1"}},
		{"6.5.1", "DeviceDetector.php", []string{
			"version cannot be read: devices are told by the rules of 6.2.0",
			"DeviceDetector.php",
		}},
		{"6.4.0", engine, []string{"tables of 6.5.1, which are built in", engine}},
		{"6.2.1", engine, []string{"tables of 6.3.2, which are built in", engine}},
		{"6.6.0", engine, []string{"6.6.0 is newer", "tables of 6.5.1, which are built in", engine}},
	} {
		files := phpFiles(t, c.version, `{}`)
		delete(files, c.without)
		got := load(t, devicetest.Folder(os.DirFS(own+"/regexes"), files)).Found().Warnings()
		same := len(got) == len(c.want)
		for i := range c.want {
			same = same && strings.Contains(got[i], c.want[i])
		}
		if !same {
			t.Errorf("%s without %q\n got %q\nwant %q", c.version, c.without, got, c.want)
		}
	}
}

// Only with another release's tables are there names that they do not know. PHP throws then.
func TestNamesThatTheTablesDoNotKnow(t *testing.T) {
	files := ownFiles(t)
	maps.Copy(files, fstest.MapFS{
		"client/browsers.yml": {Data: []byte("- regex: 'New/([\\d.]+)'\n  name: 'New One'\n  version: '$1'\n  " +
			"engine:\n    default: ''\n")},
		"client/browser_engine.yml": {Data: []byte("- regex: 'New'\n  name: 'Steam'\n")},
		"oss.yml":                   {Data: []byte("- regex: 'NewOS ([\\d.]+)'\n  name: 'New OS'\n  version: '$1'\n")},
		"device/mobiles.yml":        {Data: []byte("NewMaker:\n  regex: 'Box'\n  device: 'tv'\n  model: 'Box'\n")},
	})
	for _, version := range []string{"6.2.0", "6.5.1"} {
		d := load(t, devicetest.Folder(files, phpFiles(t, version, `{"device_types":{"tv":5}}`)))
		found := d.Detect("NewOS 1.2; Box New/3.4", nil)
		if got, want := summary(found), "UNK,1.2,New One,3.4,Steam,1,5,,Box"; got != want || found.Refused != nil {
			t.Errorf("%s: got %s, want %s (%v)", version, got, want, found.Refused)
		}
	}
}

func TestWithoutPHPFilesTheOldestReleaseIsTaken(t *testing.T) {
	found := loadOwn(t).Found()
	if found.Version != "" || found.Rules != "6.3.2" || found.BuiltInTables != "6.3.2" || len(found.Problems) != 5 {
		t.Errorf("%+v", found)
	}
}

// Tables of tomorrow count, with patterns that name what only they know.
func TestCodesOfTheInstallationCount(t *testing.T) {
	tables := decodeJSON(t, `{"operating_systems":{"NEW":"New OS"},"os_families":{"New":["NEW"]},"os_desktopOsArray":["New"],
		"browsers":{"BN":"Brandnew","NV":"Brandnew Mobile"},"browser_families":{"Chrome":["BN"]},"browser_mobileOnlyBrowsers":[],
		"browser_clientHintMapping":{"Brandnew":["Brand"]},"browser_engines":["Steam"],
		"device_types":{"desktop":0,"hologram":14},"device_brands":{"NM":"NewMaker"},"device_legacyShortNames":{"OM":"OldMaker"},
		"os_clientHintMapping":{"New OS":["Neo"]},"os_fireOsVersionMapping":{"1":"2"},"os_lineageOsVersionMapping":{"1":"2"}}`).Array()
	written, err := devicetest.PHP("7.0.0", tables)
	if err != nil {
		t.Fatal(err)
	}
	files := ownFiles(t)
	maps.Copy(files, fstest.MapFS{
		"client/browsers.yml": {Data: []byte("- regex: 'Brandnew/([\\d.]+)'\n  name: 'Brandnew'\n  version: '$1'\n  " +
			"engine:\n    default: ''\n")},
		"client/browser_engine.yml": {Data: []byte("- regex: 'Brandnew'\n  name: 'steam'\n")},
		"oss.yml":                   {Data: []byte("- regex: 'NewOS'\n  name: 'New OS'\n  version: '1.10.2'\n")},
		"device/mobiles.yml": {Data: []byte("NewMaker:\n  regex: '(New_Build)'\n  device: 'hologram'\n  model: '$1 TD'\n" +
			"OldMaker:\n  regex: 'Old'\n  device: 'desktop'\n  model: 'x'\n")},
	})
	d := load(t, devicetest.Folder(files, written))
	for _, c := range []struct{ ua, uadata, want string }{
		{"NewOS New_Build Brandnew/1.2.3", "", "NEW,1.10,BN,1.2,Steam,1,14,NM,New Build"},
		{"x", `{"platform":"neo","brands":[{"brand":"brand","version":"5"}]}`, "NEW,,BN,5,,1,0,,generic desktop"},
		{"Old", "", "UNK,UNK,UNK,,,NULL,0,OM,x"},
	} {
		if got := summary(d.Detect(c.ua, mustHints(t, d, c.uadata))); got != c.want {
			t.Errorf("%s %s\n got %s\nwant %s", c.ua, c.uadata, got, c.want)
		}
	}
}

func TestPoliciesCutVersionsAndModels(t *testing.T) {
	d := loadOwn(t)
	for _, c := range []struct{ ua, uadata, plain, versions, models string }{
		{
			"Mozilla/5.0 (Linux; Android 14.1; SM-S911B)" + mobile, "", "AND,14.1,CM,129.0,Blink,1,1,SA,Galaxy S23",
			"AND,14,CM,129,Blink,1,1,SA,Galaxy S23", "AND,14.1,CM,129.0,Blink,1,1,SA,generic smartphone",
		},
		{"curl/7.1", "", "UNK,UNK,curl,7.1,,2,NULL,,", "UNK,UNK,curl,7,,2,NULL,,", "UNK,UNK,curl,7.1,,2,NULL,,"},
		{
			"curl/" + strings.Repeat("7", 30) + ".1", "", "UNK,UNK,curl," + strings.Repeat("7", 20) + ",,2,NULL,,",
			"UNK,UNK,curl," + strings.Repeat("7", 20) + ",,2,NULL,,", "UNK,UNK,curl," + strings.Repeat("7", 20) + ",,2,NULL,,",
		},
		{
			"x", `{"model":"y","mobile":true}`, "UNK,UNK,UNK,,,NULL,NULL,,y", "UNK,UNK,UNK,,,NULL,NULL,,y",
			"UNK,UNK,UNK,,,NULL,NULL,,generic mobile",
		},
		{"z", `{"model":"y"}`, "UNK,UNK,UNK,,,NULL,NULL,,y", "UNK,UNK,UNK,,,NULL,NULL,,y", "UNK,UNK,UNK,,,NULL,NULL,,"},
		{
			"Googlebot", `{"mobile":true}`, "BOT,UNK,UNK,,,NULL,NULL,,generic mobile",
			"BOT,UNK,UNK,,,NULL,NULL,,generic mobile", "BOT,UNK,UNK,,,NULL,NULL,,generic mobile",
		},
	} {
		found := d.Detect(c.ua, mustHints(t, d, c.uadata))
		for _, p := range []struct {
			policy device.Policy
			want   string
		}{
			{device.Policy{}, c.plain},
			{device.Policy{OnlyMajorVersions: true}, c.versions},
			{device.Policy{NoModel: true}, c.models},
		} {
			under := found.Under(p.policy)
			if got := summary(under); got != p.want {
				t.Errorf("%s, %+v\n got %s\nwant %s", c.ua, p.policy, got, p.want)
			}
			if under.FingerprintBrowserVersion != found.FingerprintBrowserVersion || under.FingerprintOS != found.FingerprintOS {
				t.Errorf("%s, %+v: config_id changes", c.ua, p.policy)
			}
		}
		if found.Under(device.Policy{}) != found || summary(found) != c.plain {
			t.Errorf("%s: the device that is shared changes", c.ua)
		}
	}
}

func TestLibrariesAreToldWithoutHints(t *testing.T) {
	d := loadOwn(t)
	for ua, want := range map[string]bool{
		"curl/7.1": true, windowsUA: false, "Googlebot": false, "": false,
		"VLC/3.0": false,
	} {
		if got := d.IsLibrary(ua); got != want {
			t.Errorf("%q: %v, want %v", ua, got, want)
		}
	}
}
