package needles

import (
	"fmt"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"

	"pgregory.net/rapid"
)

func TestNeedlesEqualSearchOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[abA.]{0,20}`)
		list := rapid.SliceOfN(rapid.StringMatching(`[abB.]{1,7}`), 0, 5).Draw(t, "list")
		in := text.Draw(t, "text")
		want := false
		for _, needle := range list {
			want = want || php.ContainsFold(in, needle)
		}
		if got := New(list).In(in); got != want {
			t.Fatalf("%q in %q: %v, want %v", list, in, got, want)
		}
	})
}

func BenchmarkSpamList(b *testing.B) {
	var hosts []string
	for i := range 2500 {
		hosts = append(hosts, fmt.Sprintf("%c%c%d-seo-traffic-%d.example", 'a'+i%26, 'a'+i/26%26, i%7, i))
	}
	list := New(hosts)
	urlref := "https://www.google.com/search?q=" + strings.Repeat("some+words+", 10)
	for b.Loop() {
		list.In(urlref)
	}
}
