package referrer

import (
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

func TestLossyHost(t *testing.T) {
	for in, want := range map[string]string{
		// spec §D.5
		"www.google.co.uk": "google.{}", "search.foo.com": "foo.com", "m.foo.org": "foo.org", "de.foo.com": "{}.foo.com",
		"foo.com.br": "foo.{}", "it.wikipedia.org": "{}.wikipedia.org", "wwww1.x.com.au": "x.{}",
		// each rule
		"www": "www", "w.x": "x", "www1a.x.com": "www1a.x.com", "searching.x.com": "searching.x.com", "www.m.x.com": "x.com",
		"m.m.x.com": "m.x.com", "a.m.m.b": "a.m.b", "m": "m", "a.m": "a.m", "de.at.x.com": "{}.at.x.com", "x.de.y.com": "x.{}.y.com",
		"de.at.fr.x.com": "{}.at.{}.x.com", "x.it.de": "x.{}", "x.com.it": "x.{}", "x.com.it.de": "x.com.{}", "foo.cat": "foo.{}",
		"foo.uk": "foo.{}", "x.com": "x.com", "FOO.DE": "FOO.DE", "x.info.de": "x.info.{}", "": "", ".de": ".{}", "a..de.x": "a..{}.x",
		"foo.xx": "foo.{}", "xx.foo.com": "{}.foo.com", // Matomo lists a country "unknown"
	} {
		if got := lossyHost(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// search returns "name|keyword", "name|-" without keyword, "" for no search.
func searchText(t *testing.T, d *Detector, ref string) string {
	t.Helper()
	parsed, _ := php.ParseURL(ref)
	name, keyword, found, err := d.search(ref, &parsed)
	switch {
	case err != nil:
		t.Errorf("%q: %v", ref, err)
		return ""
	case !found:
		return ""
	case keyword.IsString():
		return name + "|" + keyword.Str()
	}
	return name + "|-"
}

func TestSearchEngines(t *testing.T) {
	d := ownDetector(t)
	for in, want := range map[string]string{
		// spec §D.5
		"http://www.google.de/url?sa=t&q=&esrc=s":                             "Google|-",
		"http://images.google.com/imgres?imgurl=x&prev=/search%3Fq%3Dcats":    "Google Images|cats",
		"https://www.google.com/search?q=x&tbm=isch":                          "Google Images|x",
		"http://www.google.com/?as_q=a&as_oq=b+c&as_epq=d&as_eq=e":            `Google|a b or c "d" -e`,
		"http://baidu.com/s?wd=%D6%D0":                                        "Baidu|中",
		"http://m.google.com/x":                                               "",
		"http://example.com/?cx=partner-pub-1&q=zz":                           "Google Custom Search|zz",
		"https://google.com/#q=frag":                                          "Google|frag",
		"https://chat.openai.com/":                                            "ChatGPT|-",
		"http://example.com/?x=1&cx=partner-pub-1&q=zz":                       "",
		"http://example.com/x?cx=partner-pub-1&query=Z":                       "Google Custom Search|z",
		"https://www.google.com/search?q=x&tbm=vid":                           "Google Video|x",
		"https://www.google.com/search?q=x&tbm=shop":                          "Google Shopping|x",
		"https://www.google.com/search?q=x&tbm=nws":                           "Google|x",
		"https://www.google.com/search?as_q=":                                 "Google|-",
		"https://images.google.de/imgres?x&prev=nothing":                      "Google Images|-",
		"https://images.google.de/imgres?x&prev":                              "Google Images|-",
		"https://images.google.de/imgres?x&prev=/s?q%3Done%26tbm%3Disch":      "Google Images|one",
		"https://www.google.com/search":                                       "Google|-",
		"https://www.google.com/maps":                                         "",
		"https://www.google.com/maps?q=":                                      "", // the first parameter is not seen
		"https://www.google.com/maps?x&q=":                                    "Google|-",
		"https://www.google.com/maps?q=0":                                     "Google|0",
		"https://www.google.com/maps?x&q=0":                                   "Google|-",
		"https://www.google.com/maps?q":                                       "",
		"https://www.google.com/maps?q=%3Cb%3E":                               "Google|<b>",
		"https://www.google.com/maps?q=<B>":                                   "Google|&lt;b&gt;",
		"android-app://com.google.android.googlequicksearchbox/x":             "Google|-",
		"https://duckduckgo.com/?t=h":                                         "DuckDuckGo|-",
		"https://www.startpage.com/sp/search":                                 "StartPage|-",
		"https://www.startpage.com/sp/search?x":                               "",
		"https://www.bing.com/cr?IG=1":                                        "Bing|-",
		"https://de.bing.com/search?Q=Up":                                     "Bing|up",
		"http://1.cz/s/%E8esk%FD":                                             "1.cz|český",
		"http://1.cz/x?q=plain":                                               "1.cz|plain",
		"http://x.example/pemonitorhosted/ws/results/Web/some%20words/1/417/": "InfoSpace|some words",
		"http://de.images.search.yahoo.com/?p=i":                              "Yahoo! Images|i",
		"http://a.b.images.search.yahoo.com/?p=i":                             "Yahoo! Images|i",
		"http://a.b.search.yahoo.com/?p=i":                                    "Yahoo!|i",
		"http://search.yahoo.co.jp/search?p=%A5%C6%A5%B9%A5%C8":               "Yahoo! Japan|テスト",
		"http://search.yahoo.co.jp/search?p=%E3%83%86%E3%82%B9%E3%83%88":      "Yahoo! Japan|テスト",
		"http://search.yahoo.co.jp/search?p=%83%65%83%58%83%67":               "Yahoo! Japan|テスト",
		"http://www.excite.co.jp/search.gw?search=%83%65%83%58%83%67":         "Excite|テスト",
		"http://poisk.ru/cgi-bin/poisk?text=%EF%F0%E8%E2%E5%F2":               "Poisk.Ru|привет",
		"http://baidu.com/s?wd=%FF%D0":                                        "Baidu|??",
		"https://www.ecosia.org/search?q=a%20B+%20":                           "Ecosia|a b",
		"x": "",
	} {
		if got := searchText(t, d, in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSocialDomainsAreExpressions(t *testing.T) {
	d, err := load(
		Source{YAML: []byte("X: []")},
		Source{YAML: []byte("First: [a.com, x+y.com, 'bad(']\nSecond: [b.org, a.com]\nThird: [www.b.org, .c.net]\nNo list: text\n")},
	)
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"http://a.com": "Second", "http://aXcom/": "Second", "a.com": "Second", "http://a.community/": "", "http://ba.com/": "",
		"http://www.b.org/": "Second", "http://xxy.com/": "First", "http://xy.com/": "First", "http://zc.net/": "Third", "http://dotc.net/": "",
		"http://h/.c.net": "Third", "http://h/?u=a.com": "", "http://h/b.org.x/a.com": "Second", "http://A.com/": "", "": "", "http://a.com/b.org": "Second",
	} {
		if got, _ := d.socials.find(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestListsOfTableOption(t *testing.T) {
	// The values of recording definitions-from-option.
	d, err := load(
		Source{Option: "YToxOntzOjE2OiJmaW5kLmV4YW1wbGUuY29tIjthOjQ6e3M6NjoicGFyYW1zIjthOjE6e2k6MDtzOjU6InF1ZXJ5Ijt9czo4OiJiYWNrbGluayI7czoxMDoi" +
			"P3F1ZXJ5PXtrfSI7czoxMzoiaGlkZGVua2V5d29yZCI7YTowOnt9czo0OiJuYW1lIjtzOjEwOiJPd24gRW5naW5lIjt9fQ=="},
		Source{Option: "YToxOntzOjE4OiJzb2NpYWwuZXhhbXBsZS5jb20iO3M6MTA6Ik93biBTb2NpYWwiO30="},
	)
	if err != nil {
		t.Fatal(err)
	}
	if got := searchText(t, d, "https://find.example.com/?query=own+engine"); got != "Own Engine|own engine" {
		t.Error(got)
	}
	if got, _ := d.socials.find("https://social.example.com/p"); got != "Own Social" {
		t.Error(got)
	}
}

func TestBrokenListsAreErrors(t *testing.T) {
	good := Source{YAML: []byte("X: []")}
	for name, bad := range map[string]Source{
		"no YAML": {YAML: []byte("\t:")}, "no mapping": {YAML: []byte("- x")}, "empty": {}, "wrong form": {YAML: []byte("X:\n  - [a]: b\n    urls: {}\n")},
		"no array": {Option: "aTo1Ow=="}, "not serialized": {Option: "eHl6"},
	} {
		if _, err := load(bad, good); err == nil || !strings.HasPrefix(err.Error(), "search engines: ") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := load(good, bad); err == nil || !strings.HasPrefix(err.Error(), "social networks: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPatternsThatDoNotCompileNeverMatch(t *testing.T) {
	d, err := load(Source{YAML: []byte(`
Engine:
  - urls: [h.example]
    params: ['/(/', '/nogroup/', q]
    hiddenkeyword: ['/(/', '/']
`)}, Source{YAML: []byte("X: []")})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"http://h.example/?q=k": "Engine|k", "http://h.example/": "Engine|-", "http://h.example/x": "", "http://h.example/nogroup?q=k": "",
	} {
		if got := searchText(t, d, in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestKeywordsInOtherCharsets(t *testing.T) {
	for _, tt := range []struct {
		in       string
		charsets []string
		want     string
	}{
		{"abc", []string{"gb2312"}, "abc"},
		{"\xd6\xd0", []string{"gb2312"}, "中"},
		{"\xd6\xd0", nil, "\xd6\xd0"},
		{"\xd6", []string{"gb2312"}, "\xd6"},
		{"\x81\x40", []string{"gb2312"}, "@"}, // GBK only
		{"é\x92", []string{"UTF-8"}, "é"},
		{"\xfc\x80", []string{"ISO-8859-1"}, "ü\u0080"},
		{"\x83\x65", []string{"ms932"}, "テ"},
		{"\x83", []string{"ms932"}, "\x83"},
		{"\xc7\xd1", []string{"EUC-KR"}, "한"},
		{"\xe8", []string{"windows-1250"}, "č"},
		{"\xe8", []string{"no-such-charset"}, "\xe8"},
		{"\xf2\xe5", []string{"UTF-8", "windows-1251"}, "те"},
		{"те", []string{"UTF-8", "windows-1251"}, "те"},
		{"\xa4\xa2", []string{"iso-2022-jp", "big5"}, "丐"},
		{"\xff0", []string{"gb2312"}, "\xff0"},
		// engines send UTF-8 instead of their charset
		{"中文", []string{"gb2312"}, "涓"},
		{"搜索引擎", []string{"gb2312"}, "搜索引擎"}, // ends in the midst of a character
		{"한국", []string{"EUC-KR"}, "한국"},
		{"日本", []string{"SHIFT_JIS"}, "譌･譛ｬ"},
		{"привет", []string{"windows-1251"}, "РїСЂРёРІРµС‚"},
		{"č", []string{"windows-1250"}, "ÄŤ"},
		// bytes without a character
		{"\x81x", []string{"windows-1250"}, "x"},
		{"\x85a", []string{"ms932"}, "a"},
		{"\x82\x59Y", []string{"ms932"}, "Y"},
		{"\x8f\xa1\xa1", []string{"euc-jp"}, "\u3000"},
		{"x\xe3\x81", []string{"UTF-8"}, "x\xe3\x81"},
		// characters that the web writes differently, or not at all
		{`a~b\c`, []string{"SHIFT_JIS"}, "a‾b¥c"},
		{"\xa1\xc1", []string{"euc-jp"}, "〜"},
		{"\xa1\xa4", []string{"gb2312"}, "・"},
		{"\xa2\xe8", []string{"EUC-KR"}, "㉾"},
		{"\xf0\x40", []string{"ms932"}, "\ue000"},
		{"\x80", []string{"iso-8859-2"}, "\u0080"},
		// the one of several in which there are no rare characters, or that is valid for longer
		{"\xc6\xb0", []string{"utf-8", "euc-jp", "ms932"}, "動"},
		{"\x82\xbb\xb1", []string{"utf-8", "euc-jp", "ms932"}, "そｱ"},
		{"\xb6\xc8\xfc\xea", []string{"UTF-8", "gb2312"}, "度"},
		{"\xe4??\xdfp", []string{"UTF-8", "gb2312"}, "??p"},
	} {
		if got := toUTF8(tt.in, tt.charsets); got != tt.want {
			t.Errorf("%q %v: %q, want %q", tt.in, tt.charsets, got, tt.want)
		}
	}
}
