package matomo

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

func parseURL(t *testing.T, s string) php.URL {
	t.Helper()
	u, _ := php.ParseURL(s)
	return u
}

var testURLs = []SiteURL{
	{1, "http://www.Example.org"},
	{2, "https://example.org/Shop"},
	{3, "http://example.org/shop/sale/"},
	{4, "http://example.org/shop/zale"},
	{5, "http://example.org/shop/"},
	{2, "http://example.org/shop"},
	{6, "http://.wild.org/deep"},
	{7, "http://sub.wild.org/only"},
	{8, "http://.my.sub.deep.net"},
	{9, "no host"},
	{10, "//10.example.org"},
}

func TestURLIndexMatch(t *testing.T) {
	index := NewURLIndex(testURLs)
	tests := []struct {
		url   string
		want  []int64
		found bool
	}{
		{"http://example.org", []int64{1}, true},
		{"http://WWW.example.ORG/other", []int64{1}, true},
		{"http://www.www.example.org/", nil, false},
		{"http://example.org/shop", []int64{2, 5}, true},
		{"http://example.org/SHOP/x", []int64{2, 5}, true},
		{"http://example.org/shopping", []int64{1}, true},
		{"http://example.org/shop/sale/1", []int64{3}, true},
		{"http://example.org/shop/zale", []int64{4}, true},
		{"http://unknown.org/", nil, false},
		{"http://other.example.org/", nil, false},
		// wildcards
		{"http://wild.org/deep", []int64{6}, true},
		{"http://a.b.wild.org/deep/x", []int64{6}, true},
		{"http://a.wild.org/", nil, false},
		{"http://sub.wild.org/deep", []int64{6}, true},
		{"http://sub.wild.org/only", []int64{7}, true},
		{"http://x.my.sub.deep.net", []int64{8}, true},
		{"http://sub.deep.net", nil, false},
		{"//10.example.org/", []int64{10}, true},
		// no host
		{"/shop", nil, false},
		{"", nil, false},
	}
	for _, tt := range tests {
		got, found := index.Match(parseURL(t, tt.url))
		if found != tt.found || !cmp.Equal(got, tt.want) {
			t.Errorf("%q: got %v, %v, want %v, %v", tt.url, got, found, tt.want, tt.found)
		}
	}
}

func TestURLIndexPathPrefix(t *testing.T) {
	index := NewURLIndex(testURLs)
	tests := []struct {
		url, want string
		found     bool
	}{
		{"http://www.example.org/Shop/Sale/x", "/shop/sale/", true},
		{"http://example.org/x", "/", true},
		{"http://sub.wild.org/only", "/only/", true},
		{"http://sub.wild.org/deep", "", false}, // wildcard hosts do not count
		{"http://unknown.org", "", false},
		{"nothing", "", false},
	}
	for _, tt := range tests {
		if got, found := index.PathPrefix(parseURL(t, tt.url)); got != tt.want || found != tt.found {
			t.Errorf("%q: got %q, %v, want %q, %v", tt.url, got, found, tt.want, tt.found)
		}
	}
}

func TestURLIndexWithRequestURL(t *testing.T) {
	index := NewURLIndex(testURLs)
	tests := []struct {
		request, url string
		want         []int64
		found        bool
		prefix       string
	}{
		{"http://www.new.org/page", "http://new.org/x/y", []int64{20}, true, "/"},
		{"http://example.org/a/b", "http://example.org/", []int64{1, 20}, true, "/"},
		{"http://example.org/a/b", "http://example.org/shop", []int64{2, 5}, true, "/shop/"},
		{"http://sub.wild.org/", "http://sub.wild.org/only", []int64{7}, true, "/only/"},
		{"http://sub.wild.org/", "http://sub.wild.org/deep", []int64{20}, true, "/"},
		{"http://sub.wild.org/", "http://x.sub.wild.org/deep", []int64{6}, true, ""},
		{"no host", "http://example.org/", []int64{1}, true, "/"},
		{"http://new.org", "http://other.org", nil, false, ""},
		{"http://new.org", "", nil, false, ""},
	}
	for _, tt := range tests {
		view := index.With(20, parseURL(t, tt.request))
		if got, found := view.Match(parseURL(t, tt.url)); found != tt.found || !cmp.Equal(got, tt.want) {
			t.Errorf("%q in %q: got %v, %v, want %v, %v", tt.url, tt.request, got, found, tt.want, tt.found)
		}
		if got, _ := view.PathPrefix(parseURL(t, tt.url)); got != tt.prefix {
			t.Errorf("%q in %q: prefix %q, want %q", tt.url, tt.request, got, tt.prefix)
		}
	}
	if got, _ := index.Match(parseURL(t, "http://example.org/")); !cmp.Equal(got, []int64{1}) {
		t.Errorf("the index has changed: %v", got)
	}
	if got, _ := index.With(1, parseURL(t, "http://example.org")).Match(parseURL(t, "http://example.org")); !cmp.Equal(got, []int64{1}) {
		t.Errorf("the site is there twice: %v", got)
	}
}

func TestNilURLIndexIsEmpty(t *testing.T) {
	var index *URLIndex
	if _, found := index.Match(parseURL(t, "http://example.org")); found {
		t.Error("found")
	}
	if got, found := index.With(1, parseURL(t, "http://example.org")).Match(parseURL(t, "http://example.org/a")); !found ||
		!cmp.Equal(got, []int64{1}) {
		t.Errorf("got %v, %v", got, found)
	}
}

func TestReferrerIndexKeepsTheOrderGiven(t *testing.T) {
	index := newReferrerIndex(3, []string{
		"ref.example.org", "https://www.pay.example.com/checkout", "http://x.org/a",
		"HTTP://y.org",
	})
	tests := []struct {
		url   string
		found bool
	}{
		{"https://www.ref.example.org/any", true},
		{"http://pay.example.com/checkout/1", true},
		{"http://pay.example.com/", false},
		{"http://x.org/a", true},
		{"http://y.org", false},
	}
	for _, tt := range tests {
		if got, found := index.Match(parseURL(t, tt.url)); found != tt.found || found && !cmp.Equal(got, []int64{3}) {
			t.Errorf("%s: got %v, %v", tt.url, got, found)
		}
	}
	unsorted := newURLList([]SiteURL{{1, "http://x.org/"}, {2, "http://x.org/deep"}})
	if got, _ := unsorted.Match(parseURL(t, "http://x.org/deep")); !cmp.Equal(got, []int64{1}) {
		t.Errorf("the first prefix in the list wins, got %v", got)
	}
}

func BenchmarkURLIndexWithMatch(b *testing.B) {
	index := NewURLIndex(testURLs)
	page, _ := php.ParseURL("http://www.example.org/page")
	referrer, _ := php.ParseURL("http://search.example.com/?q=x")
	b.ReportAllocs()
	for b.Loop() {
		index.With(1, page).Match(referrer)
	}
}
