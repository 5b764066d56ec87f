package action

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// searchRequest is a request with parameters in the order name, value, name, value …
func searchRequest(site *matomo.Site, pairs ...string) *request.Request {
	p := php.NewArray(len(pairs) / 2)
	for i := 0; i < len(pairs); i += 2 {
		p.Set(pairs[i], php.String(pairs[i+1]))
	}
	return bind(site, allPlugins(), p)
}

func TestSearchInURL(t *testing.T) {
	tests := []struct {
		url, cs           string
		keyword, category string
		count             store.NullInt
		rest              string // the URL without the search
	}{
		// spec §D.5
		{
			"http://h/?Q=%EF%F0%E8&CAT=x%20y&search_count=7", "windows-1251", "при", "x y", store.Int(7),
			"http://h/?search_count=7",
		},
		{"http://h/#/r?query=a+b&c2=%3Cq%3E", "", "a b", "<q>", store.NullInt{}, "http://h/#/r"},
		{"http://h/?k[]=one&k[]=two&x", "", "one", "", store.NullInt{}, "http://h/?x"},
		// which parameter
		{"http://h/?k=2&q=1&cat=&c2=b", "", "1", "b", store.NullInt{}, "http://h/?k=2&cat="},
		{"http://h/?q=&s=x", "", "x", "", store.NullInt{}, "http://h/?q="},
		{"http://h/;q=m", "", "m", "", store.NullInt{}, "http://h/"},
		{"http://h/#q=f&x=1", "", "f", "", store.NullInt{}, "http://h/#x=1"},
		{"http://h/#/r?query=a&x=1", "", "a", "", store.NullInt{}, "http://h/#/r?x=1"},
		{"http://h/?a=1#/r?x=1&q=z", "", "z", "", store.NullInt{}, "http://h/?a=1#/r?x=1"},
		{"http://h/#a?&q=1", "", "1", "", store.NullInt{}, "http://h/#a"},
		{"http://h/#?0", "", "", "", store.NullInt{}, ""},
		{"http://h/?\u212a=kelvin", "", "kelvin", "", store.NullInt{}, "http://h/?\u212a=kelvin"},
		// decoding
		{"http://h/?q=caf%E9", "", "caf%E9", "", store.NullInt{}, "http://h/"},
		{"http://h/?q=caf%E9", "ISO-8859-1", "café", "", store.NullInt{}, "http://h/"},
		{"http://h/?q=caf%C3%A9", "utf-8", "café", "", store.NullInt{}, "http://h/"},
		{"http://h/?q=caf%C3%A9", "UTF8", "café", "", store.NullInt{}, "http://h/"},
		{"http://h/?q=caf%E9", "no-such-charset", "caf%E9", "", store.NullInt{}, "http://h/"},
		{"http://h/?q=%83%65%83%58%83%67", "Shift_JIS", "テスト", "", store.NullInt{}, "http://h/"},
		{"http://h/?q=%98", "windows-1251", "%98", "", store.NullInt{}, "http://h/"},
		{"http://h/?q=%E9", "us-ascii", "%E9", "", store.NullInt{}, "http://h/"},
		{"http://h/?q[]=%CE%D2&q[]=%ff", "gbk", "我", "", store.NullInt{}, "http://h/"},
		{"http://h/?q=%30a&cat=%30", "", "0a", "", store.NullInt{}, "http://h/"},
		{"http://h/?q=a%22%3C&x=<", "", `a"<`, "", store.NullInt{}, "http://h/?x=&lt;"},
		// counts
		{"http://h/?q=a&search_count=7.9", "", "a", "", store.Int(7), "http://h/?search_count=7.9"},
		{"http://h/?q=a&search_count=-1", "", "a", "", store.NullInt{}, "http://h/?search_count=-1"},
		{"http://h/?q=a&search_count", "", "a", "", store.NullInt{}, "http://h/?search_count"},
		// no search
		{"http://h/?x=1", "", "", "", store.NullInt{}, ""},
		{"http://h/?qq=1", "", "", "", store.NullInt{}, ""},
		{"http://h/?q", "", "", "", store.NullInt{}, ""},
		{"http://h/?q[]", "", "", "", store.NullInt{}, ""},
		{"http://h/?q=0", "", "", "", store.NullInt{}, ""},
		{"http://h/?q=+", "", "", "", store.NullInt{}, ""},
		{"http://h/q=1", "", "", "", store.NullInt{}, ""},
		{"http://h:99999/?q=1", "", "", "", store.NullInt{}, ""},
		{"http://h/?", "", "", "", store.NullInt{}, ""},
	}
	for _, tt := range tests {
		s, ok := detectSearch(searchRequest(newSite(t), "url", tt.url, "cs", tt.cs))
		want := search{tt.keyword, tt.category, tt.count, tt.rest}
		if ok != (tt.keyword != "") || s != want && ok {
			t.Errorf("%s (%s): %+v, %v", tt.url, tt.cs, s, ok)
		}
	}
}

func TestSearchParameterWinsOverURL(t *testing.T) {
	tests := []struct {
		pairs []string
		want  search
		ok    bool
	}{
		{
			[]string{"url", "http://h/?q=url", "search", "p", "search_cat", "c", "search_count", "0"},
			search{"p", "c", store.Int(0), ""},
			true,
		},
		{[]string{"url", "http://h/?q=url", "search", "0"}, search{"url", "", store.NullInt{}, "http://h/"}, true},
		{[]string{"url", "http://h/?q=url", "search", " "}, search{}, false},
		{[]string{"search", " A & <B> ", "search_cat", " "}, search{"A &amp; &lt;B&gt;", "", store.NullInt{}, ""}, true},
	}
	for _, tt := range tests {
		if got, ok := detectSearch(searchRequest(newSite(t), tt.pairs...)); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q: %+v, %v", tt.pairs, got, ok)
		}
	}
}

func TestSearchOnASiteThatHasItSwitchedOff(t *testing.T) {
	site := newSite(t)
	site.SiteSearch = false
	if _, ok := detectSearch(searchRequest(site, "search", "x")); ok {
		t.Error("detected")
	}
}

func TestSearchByUnusualParameterNames(t *testing.T) {
	site := newSite(t)
	site.SearchKeywordParameters = []string{"", "Ä", "x y"}
	site.SearchCategoryParameters = []string{""}
	for u, want := range map[string]search{
		"http://h/?ä=1":     {"1", "", store.NullInt{}, "http://h/?ä=1"}, // removal ignores the case of ASCII letters only
		"http://h/?X y=1&z": {"1", "", store.NullInt{}, "http://h/?z"},
	} {
		if got, ok := detectSearch(searchRequest(site, "url", u)); !ok || got != want {
			t.Errorf("%s: %+v, %v", u, got, ok)
		}
	}
}

func TestSearchActionIsCut(t *testing.T) {
	site := newSite(t)
	site.Tracker.PageMaximumLength = 5
	long := make([]byte, 300)
	for i := range long {
		long[i] = 'c'
	}
	a, err := New(searchRequest(site, "search", "keyword", "search_cat", string(long)))
	if err != nil || a.Name != "keywo" || len(a.Row(numbered).SearchCategory.V) != 200 {
		t.Errorf("%+v, %v", a, err)
	}
}

// FuzzShortcutMissesNoSearch compares the quick look at the URL with the full one.
func FuzzShortcutMissesNoSearch(f *testing.F) {
	for _, seed := range []string{"q=1", "a=1&K=2", "?q=1", "q%5B%5D=1", "x=q&qq=1", "\u212a=1", "q=1&q="} {
		f.Add(seed)
	}
	names := []string{"q", "k"}
	f.Fuzz(func(t *testing.T, query string) {
		_, found := firstNotEmpty(lowerNames(php.QueryToMap(query)), names)
		if !php.Empty(found) && !mayName(query, names) {
			t.Errorf("%q holds %v", query, found)
		}
	})
}
