package referrer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
)

// result is what Detect gives, as text.
func result(d *Detector, in Input) string {
	found, err := d.Detect(in)
	return fmt.Sprintf("%+v %v", found, err)
}

func TestMemoryChangesNoResult(t *testing.T) {
	d := ownDetector(t)
	var m Memory
	for range 2 {
		for _, referrer := range []string{
			"", "no URL", page, page + "x?y=1", "https://www.google.com/search?q=K", "https://www.google.com/search?q[]=K", "https://www.google.com/",
			"https://l.facebook.com/l.php?u=1&amp;h=2", "https://www.example.com/a?id=7&amp;gclid=1", "http://excluded.example.com/", "//h:70000/",
			"https://doubleclick.net/x?url=//h", "https://other.example.org/shop/x", "https://w.example/" + strings.Repeat("x", maxReferrer),
		} {
			for _, url := range []string{page, page + "?utm_campaign=x", "http://www.example.com/", ""} {
				in := testInput(url, referrer)
				want := result(d, in)
				in.Memory = &m
				if got := result(d, in); got != want {
					t.Errorf("%q, %q: %s, without memory %s", url, referrer, got, want)
				}
			}
		}
	}
}

func TestMemoryTellsSitesAndSettingsApart(t *testing.T) {
	d := ownDetector(t)
	const referrer = "https://www.example.com/a?id=7"
	first := testInput(page, referrer)
	second, third := first, first
	second.Site = &matomo.Site{ID: 2, Tracker: first.Site.Tracker, ExcludedParameters: []string{"id"}}
	third.General = &matomo.General{SiteURLs: matomo.NewURLIndex([]matomo.SiteURL{{SiteID: 2, URL: "https://www.example.com/a"}})}
	var m Memory
	var found []string
	for _, in := range []Input{first, second, third, first, second} {
		in.Memory = &m
		r, err := d.Detect(in)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, r.Name.V+" "+r.URL.V)
	}
	if diff := cmp.Diff([]string{
		"www.example.com " + referrer, "www.example.com https://www.example.com/a",
		"www.example.com/a " + referrer,
		"www.example.com " + referrer, "www.example.com https://www.example.com/a",
	}, found); diff != "" {
		t.Error(diff)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	var m Memory
	in := testInput(page, "")
	for n := range 2*maxPages + 1 {
		in.Referrer = fmt.Sprintf("https://w.example/%d", n)
		if p := m.page(&in); p.ref != in.Referrer {
			t.Fatal(p.ref)
		}
	}
	if len(m.pages) > maxPages {
		t.Errorf("%d pages", len(m.pages))
	}
	before := len(m.pages)
	in.Referrer = "https://w.example/" + strings.Repeat("x", maxReferrer)
	if m.page(&in); len(m.pages) != before {
		t.Error("a long URL is remembered")
	}
	in.General = &matomo.General{}
	if m.page(&in); len(m.pages) != before {
		t.Errorf("%d pages, want %d: a long URL makes none forgotten", len(m.pages), before)
	}
	in.Referrer = fmt.Sprintf("https://w.example/%d", 2*maxPages) // known by the old settings
	if m.page(&in); len(m.pages) != 1 {
		t.Errorf("%d pages after the settings have changed", len(m.pages))
	}
}

func BenchmarkDetectAgain(b *testing.B) {
	d := ownDetector(b)
	var m Memory
	in := testInput(page+"products/7?color=red", "https://www.example.com/some/path/article.html?id=7")
	in.Memory = &m
	read := pageurl.Read(in.URL, in.Site.Tracker.PageMaximumLength)
	in.Page = &read
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Detect(in); err != nil {
			b.Fatal(err)
		}
	}
}
