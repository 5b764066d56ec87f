package device_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/device/devicetest"
)

func TestUndetected(t *testing.T) {
	if got, want := summary(device.Undetected()), "UNK,UNK,UNK,,,NULL,NULL,,"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPartsOfTheFingerprint(t *testing.T) {
	d := loadOwn(t)
	for _, c := range []struct{ ua, system, browser, version, client string }{
		{windowsUA, "WIN", "CH", "125.0", "Chrome"},
		{"Googlebot", "BOT", "UNK", "", ""},
		{"curl/7.1", "UNK", "UNK", "", "curl"},
		{"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)", "WIN", "IE", "8.0", "Internet Explorer"},
		{"", "UNK", "UNK", "", ""},
	} {
		got := d.Detect(c.ua, nil)
		if got.FingerprintOS != c.system || got.FingerprintBrowser != c.browser ||
			got.FingerprintBrowserVersion != c.version || got.ClientName != c.client {
			t.Errorf("%s: %+v", c.ua, got)
		}
	}
}

func TestColumnsAreCut(t *testing.T) {
	d := loadOwn(t)
	version := strings.Repeat("7", 30)
	if got := d.Detect("curl/"+version, nil); got.BrowserVersion != version[:20] {
		t.Errorf("version %s", got.BrowserVersion)
	}
	hints := mustHints(t, d, `{"model":"`+strings.Repeat("é", 120)+`"}`)
	if got := d.Detect("x", hints); got.Model != strings.Repeat("é", 100) {
		t.Errorf("model %s", got.Model)
	}
}

func TestBotsAreFoundInTheRawUserAgent(t *testing.T) {
	d := loadOwn(t)
	for ua, want := range map[string]bool{
		"Mozilla/5.0 (compatible; Googlebot/2.1)": true,
		"some'bot/1":       true,
		"some&#039;bot/1":  true,
		windowsUA:          false,
		"CUBOT; Android 9": false,
		"":                 false,
	} {
		for range 2 {
			if got := d.IsBot(ua); got != want {
				t.Errorf("%q: %v, want %v", ua, got, want)
			}
		}
	}
}

// Matomo's cache key knows neither the mobile flag nor anything after 500 characters, so the first request decides.
func TestFirstRequestWithAKeyDecides(t *testing.T) {
	for name, c := range map[string]struct {
		firstUA, secondUA       string
		firstHints, secondHints string
		same                    bool
	}{
		"mobile": {"x", "x", `{"mobile":true}`, `{"mobile":false}`, true},
		"app":    {"x", "x", `{"x-requested-with":"org.telegram.messenger"}`, `{"x-requested-with":"a"}`, true},
		"blanks": {windowsUA, "\n " + windowsUA + " ", "", "", true},
		"runs together": {
			"x", "x", `{"platform":"Android","platformVersion":"14"}`,
			`{"platform":"Android14","platformVersion":""}`, true,
		},
		"order": {
			"x", "x", `{"brands":[{"brand":"A","version":"1"},{"brand":"Opera","version":"2"}],"mobile":true}`,
			`{"brands":[{"brand":"Opera","version":"2"},{"brand":"A","version":"1"}]}`, true,
		},
		"end cut":    {strings.Repeat("é", 500) + "a", strings.Repeat("é", 500) + " Windows NT 10", "", "", true},
		"end counts": {strings.Repeat("x", 400) + "a", strings.Repeat("x", 400) + " Windows NT 10", "", "", false},
		"digest counts": {
			strings.Repeat("x", 468) + "a", strings.Repeat("x", 468) + " Windows NT 10", `{"a":"b"}`,
			`{"a":"b"}`, true,
		},
		"version counts": {
			"x", "x", `{"brands":[{"brand":"Opera","version":"1"}]}`,
			`{"brands":[{"brand":"Opera","version":"2"}]}`, false,
		},
		"model counts": {"x", "x", `{"model":"a"}`, `{"model":"b"}`, false},
		"hints count":  {"x", "x", `{"mobile":true}`, ``, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := loadOwn(t)
			first := d.Detect(c.firstUA, mustHints(t, d, c.firstHints))
			second := d.Detect(c.secondUA, mustHints(t, d, c.secondHints))
			if (first == second) != c.same {
				t.Errorf("%s and %s", summary(first), summary(second))
			}
		})
	}
}

func TestRefusedRequestsAreNotRemembered(t *testing.T) {
	d := loadOwn(t)
	const brands = `{"brands":[{"brand":"Opera","version":5}]`
	if got := d.Detect("x", mustHints(t, d, brands+`}`)); got.Refused == nil ||
		summary(got) != summary(device.Undetected()) {
		t.Fatalf("%+v", got)
	}
	if got := d.Detect("x", mustHints(t, d, brands+`,"uaFullVersion":"9.1"}`)); got.Refused != nil ||
		got.BrowserName != "OP" {
		t.Errorf("%+v", got)
	}
}

func TestConcurrentDetection(t *testing.T) {
	d := loadOwn(t)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for _, a := range agents {
				d.IsBot(a.ua)
				if got := summary(d.Detect(a.ua, mustHints(t, d, a.uadata))); got != a.want {
					t.Errorf("%s: %s, want %s", a.ua, got, a.want)
				}
			}
		})
	}
	wait.Wait()
}

func TestLoadNamesTheFile(t *testing.T) {
	const broken = "- regex: 'a(b'\n  name: 'x'\n"
	for _, c := range []struct{ file, content, want string }{
		{"bots.yml", "", "bots.yml"},
		{"device/mobiles.yml", "", "device/mobiles.yml"},
		{"client/hints/apps.yml", "", "client/hints/apps.yml"},
		{"oss.yml", "- regex: [", "oss.yml: yaml"},
		{"client/browsers.yml", broken, `client/browsers.yml: pattern "a(b": missing )`},
		{"client/pim.yml", "- name: 'x'\n", "client/pim.yml: entry without regex"},
		{
			"device/cameras.yml", "A:\n  regex: 'b'\n  models:\n    - regex: '[c'\n      model: ''\n",
			`device/cameras.yml: pattern "[c": missing ]`,
		},
		{"oss.yml", "- regex: 'b'\n  name: 'x'\n  versions:\n    - version: ''\n", "oss.yml: entry without regex"},
	} {
		files := ownFiles(t)
		if c.content == "" {
			delete(files, c.file)
		} else {
			files[c.file] = &fstest.MapFile{Data: []byte(c.content)}
		}
		if _, err := device.Load(regexes(files)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", c.file, err, c.want)
		}
	}
}

func TestLoadAcceptsAnEmptyFile(t *testing.T) {
	files := ownFiles(t)
	files["bots.yml"] = &fstest.MapFile{Data: []byte("# nothing\n")}
	d, err := device.Load(regexes(files))
	if err != nil {
		t.Fatal(err)
	}
	if d.IsBot("Googlebot") {
		t.Error("bot found without patterns")
	}
}

// Names that the embedded tables do not know come from a newer device-detector: they are written without a code.
func TestUnknownNamesAreWrittenAsTheyAre(t *testing.T) {
	files := ownFiles(t)
	files["client/browsers.yml"] = &fstest.MapFile{Data: []byte("- regex: 'Brandnew/([\\d.]+)'\n  name: 'Brandnew'\n  " +
		"version: '$1'\n  engine:\n    default: ''\n")}
	files["client/browser_engine.yml"] = &fstest.MapFile{Data: []byte("- regex: 'Brandnew'\n  name: 'Steam'\n")}
	files["oss.yml"] = &fstest.MapFile{Data: []byte("- regex: 'NewOS'\n  name: 'New OS'\n  version: '1.10.2'\n")}
	files["device/mobiles.yml"] = &fstest.MapFile{Data: []byte("NewMaker:\n  regex: '(New_Build)'\n  device: " +
		"'hologram'\n  model: '$1 TD'\n  models:\n    - regex: 'none'\n      model: 'x'\n")}
	d, err := device.Load(regexes(files))
	if err != nil {
		t.Fatal(err)
	}
	const want = "UNK,1.10,Brandnew,1.2,Steam,1,NULL,,New Build"
	if got := summary(d.Detect("NewOS New_Build Brandnew/1.2.3", nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// regexes is a device-detector of nothing but data files.
func regexes(files fs.FS) fs.FS { return devicetest.Folder(files, nil) }

func ownFiles(tb testing.TB) fstest.MapFS {
	tb.Helper()
	files := fstest.MapFS{}
	root := os.DirFS(own + "/regexes")
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, path)
		files[path] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

func BenchmarkUncached(b *testing.B) {
	d := loadShared(b)
	cases := loadCorpus(b, filepath.Join(shared, "matomo-data/device-cases.jsonl.gz"), d)
	for _, c := range cases {
		d.Detect(c.UA, c.hints) // compiles the patterns
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		c := cases[i%len(cases)]
		d.Detect(c.UA+" "+php.ToString(php.Int(int64(i))), c.hints)
		i += 7
	}
}

func BenchmarkCached(b *testing.B) {
	d := loadOwn(b)
	for b.Loop() {
		d.Detect(windowsUA, nil)
	}
}

func BenchmarkCachedWithHints(b *testing.B) {
	d := loadOwn(b)
	hints := mustHints(b, d, `{"platform":"Windows","platformVersion":"15"}`)
	for b.Loop() {
		d.Detect(windowsUA, hints)
	}
}

func BenchmarkHintsFromParam(b *testing.B) {
	d := loadOwn(b)
	v := decodeJSON(b,
		`{"fullVersionList":[{"brand":"Google Chrome","version":"114.0.5735.110"},{"brand":"Not A","version":"8"}],
		"platform":"Windows","platformVersion":"15.0.0","mobile":false,"model":""}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.HintsFromParam(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		loadShared(b)
	}
}
