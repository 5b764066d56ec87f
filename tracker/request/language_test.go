package request

import (
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

func TestLanguageParameterIsTakenAsItComesBefore51(t *testing.T) {
	header := server("HTTP_ACCEPT_LANGUAGE", "fr-FR;q=0.9")
	old := behaving(func(b *matomo.Behaviours) { b.CleanLanguageParameter = false })
	for _, test := range []struct{ lang, old, oldColumn, new, newColumn string }{
		{"de-ch,de", "de-ch,de", "de-ch", "de-ch,de", "de-ch"},
		{"de-CH;q=0.9", "de-CH;q=0.9", "de", "de-ch", "de-ch"},
		{"EN_gb", "EN_gb", "xx", "en-gb", "en-gb"},
		{"it,<b>", "it,&lt;b&gt;", "it", "it,&lt;b&gt;", "it"},
		{"", "fr-fr", "fr-fr", "fr-fr", "fr-fr"},
		{"0", "0", "", "fr-fr", "fr-fr"},
	} {
		for _, side := range []struct {
			options      []option
			list, column string
		}{{[]option{header, old}, test.old, test.oldColumn}, {[]option{header}, test.new, test.newColumn}} {
			r := read(t, `{"lang":"`+test.lang+`"}`, side.options...)
			if list := r.Language(); list != side.list || r.BrowserLanguage(list) != side.column {
				t.Errorf("%q: %q, %q, want %q, %q", test.lang, list, r.BrowserLanguage(list), side.list, side.column)
			}
		}
	}
}

func TestLanguageOfHeader(t *testing.T) {
	for _, test := range []struct{ header, list, column string }{
		{"de-AT,de;q=0.9,en;q=0.8", "de-at,de,en", "de-at"},
		{"en_US", "en-us", "en-us"},
		{"*", "*", "xx"},
		{"fr;q=0.8, en-GB (comment) ;q=0.7", "fr,en-gb", "fr"},
		{"C", "c", "xx"},
		{"c.utf-8", "c", "xx"},
		{"en_CA.UTF-8", "en-ca", "en-ca"},
		{"chrome://x,en", "", ""},
		{"en,chrome://x,de", "en", "en"},
		{"enchrome:,de", "enchrome:,de", "de"},
		{"sr-SP", "sr-rs", "sr-rs"},
		{"sr-sp,sr-sp", "sr-rs,sr-rs", "sr-rs"},
		{"zh-Hant-TW,zh", "zh-hant-tw,zh", "zh-tw"},
		{"sq-xk", "sq-xk", "sq-xk"},
		{"EN", "en", "en"},
		{"deu", "deu", "xx"},
		{"fil-PH", "fil-ph", "xx"},
		{"es-419,es", "es-419,es", "es"},
		{"0", "", ""},
		{"", "", ""},
		// en-securid
		{"en-securid,de", "de", "de"},
		{"de,en-securid,fr", "de,fr", "de"},
		{"en,en-securid", "en", "en"},
		{"en-securid", "", ""},
		{"en-securid,en-securid,de", "en-securid,de", "en"},
		{"xen-securid,de", "xen-securid,de", "de"},
		{"en-securidx,de", "en-securidx,de", "en"},
		{"en-securidx,en-securid,de", "en-securidx,de", "en"},
		// Odd syntax.
		{`d\e,fr`, "d,fr", "fr"},
		{"de\t, fr", "de,fr", "de"},
		{"de (a) (b),fr (", "de,fr(", "de"},
		{"de;q=,fr;q=1.0", "de;q=,fr", "de"},
		{"en-gbx", "en-gbx", "en-gb"},
		{"en-gbxx", "en-gbxx", "en"},
		{"en-latn-gb", "en-latn-gb", "en-gb"},
		{"zz-de,yy,fr-ca", "zz-de,yy,fr-ca", "fr-ca"},
		{"e,d,f", "e,d,f", "xx"},
		{"<de>", "&lt;de&gt;", "xx"},
	} {
		r := read(t, `{}`, server("HTTP_ACCEPT_LANGUAGE", test.header))
		for range 2 {
			if got := r.Language(); got != test.list {
				t.Errorf("%q: list %q, want %q", test.header, got, test.list)
			}
		}
		if got := r.BrowserLanguage(r.Language()); got != test.column {
			t.Errorf("%q: column %q, want %q", test.header, got, test.column)
		}
	}
}

func TestLanguageSources(t *testing.T) {
	header := server("HTTP_ACCEPT_LANGUAGE", "fr")
	lang := settings(func(s *matomo.TrackerSettings) { s.EmulatedLang = "en_US.UTF-8" })
	for _, test := range []struct {
		params, want string
		options      []option
	}{
		{`{"lang":"de-DE"}`, "de-de", []option{header, lang}},
		{`{"lang":"0"}`, "fr", []option{header, lang}},
		{`{"lang":""}`, "fr", []option{header, lang}},
		{`{"lang":["de"]}`, "fr", []option{header, lang}},
		{`{}`, "en-us", []option{lang}},
		{`{}`, "", nil},
	} {
		if got := read(t, test.params, test.options...).Language(); got != test.want {
			t.Errorf("%s: %q, want %q", test.params, got, test.want)
		}
	}
}

func TestBrowserLanguageOfNothing(t *testing.T) {
	r := read(t, `{}`)
	if r.BrowserLanguage("") != "" || r.BrowserLanguage("0") != "" {
		t.Error("not empty")
	}
}

func TestLanguageCodes(t *testing.T) {
	codes := strings.Fields(languageCodes)
	if len(codes) != 184 {
		t.Errorf("%d codes", len(codes))
	}
	if !isLanguage("de") || isLanguage("mo") || isLanguage("deu") {
		t.Error("wrong")
	}
}
