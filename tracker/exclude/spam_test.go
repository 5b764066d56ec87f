package exclude

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

func TestReferrerSpam(t *testing.T) {
	off := config(func(s *matomo.TrackerSettings) { s.EnableSpamFilter = false })
	list := func(hosts ...string) setting {
		return func(_ *request.Origin, c *request.Context) { c.General.SpamReferrers = append([]string{}, hosts...) }
	}
	run(t, []exclusionTest{
		{`{"rec":"1","urlref":"http://buy-spam.example/"}`, ReferrerSpam, nil},
		{`{"rec":"1","urlref":"http://WWW.BUY-SPAM.EXAMPLE"}`, ReferrerSpam, nil},
		{`{"rec":"1","urlref":"http://ok.example/?u=buy-spam.example.com"}`, ReferrerSpam, nil},
		{`{"rec":"1","urlref":"http://17.ru"}`, ReferrerSpam, nil},
		{`{"rec":"1","urlref":"http://aXx.example/"}`, ReferrerSpam, nil},
		{`{"rec":"1","urlref":"http://buy-spam.exampl/"}`, tracked, nil},
		{`{"rec":"1","urlref":"7.r"}`, tracked, nil},
		{`{"rec":"1"}`, tracked, nil},
		{`{"rec":"1","urlref":["http://buy-spam.example/"]}`, tracked, nil},
		{`{"rec":"1","urlref":"http://buy-spam.example/"}`, tracked, []setting{off}},
		// The option replaces the list, an empty one as well.
		{`{"rec":"1","urlref":"http://buy-spam.example/"}`, tracked, []setting{list("other.example")}},
		{`{"rec":"1","urlref":"http://other.example/"}`, ReferrerSpam, []setting{list("other.example")}},
		{`{"rec":"1","urlref":"http://buy-spam.example/"}`, tracked, []setting{list()}},
		// PHP finds an empty entry everywhere.
		{`{"rec":"1"}`, ReferrerSpam, []setting{list("")}},
	})
}

func TestSpamListFollowsTheOption(t *testing.T) {
	c := newChecker()
	for _, test := range []struct {
		hosts []string
		want  string
	}{
		{[]string{"a.example"}, ReferrerSpam},
		{[]string{"b.example"}, tracked},
		{nil, tracked},
		{[]string{"a.example"}, ReferrerSpam},
	} {
		r := read(t, `{"rec":"1","urlref":"http://a.example/"}`,
			func(_ *request.Origin, c *request.Context) { c.General.SpamReferrers = test.hosts })
		if got, _ := c.Check(r); got != test.want {
			t.Errorf("%v: %q, want %q", test.hosts, got, test.want)
		}
	}
}
