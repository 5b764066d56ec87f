package referrer

import (
	"errors"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// TestCampaignsThatAreNoTextOfVersions shows what becomes of parameters that are lists or numbers: "" stands for no
// campaign, "refused" for a TypeError. Lists in URLs were ignored first, then those of parameters.
func TestCampaignsThatAreNoTextOfVersions(t *testing.T) {
	elements := php.NewArray(1)
	elements.Append(php.String("x"))
	list := php.ArrayValue(elements)
	type raw map[string]php.Value
	for name, tt := range map[string]struct {
		query            string
		raw              raw
		old, lists, both string
	}{
		"list as the last name":         {"?utm_medium[]=x", nil, "refused", "", ""},
		"list, then a name":             {"?utm_campaign[]=x&utm_medium=m", nil, "m", "m", "m"},
		"list, and one in the fragment": {"?utm_medium[]=x#utm_medium=f", nil, "f", "f", "f"},
		"parameter is a list":           {"", raw{"utm_campaign": list}, "refused", "refused", ""},
		"parameter is a number":         {"", raw{"utm_campaign": php.Int(7)}, "7", "7", ""},
		"parameter is true":             {"", raw{"utm_campaign": php.Bool(true)}, "1", "1", ""},
		"and no other name is tried":    {"", raw{"pk_cpn": php.Int(7), "utm_campaign": php.String("c")}, "7", "7", ""},
		"text in front of a list":       {"", raw{"pk_cpn": php.String("c"), "utm_campaign": list}, "c", "c", "c"},
		"the page's campaign stays":     {"?utm_campaign=page", raw{"utm_campaign": list}, "refused", "refused", "page"},
		"list as keyword": {
			"",
			raw{"utm_campaign": php.String("c"), "utm_term": list},
			"refused", "refused",
			"refused",
		},
		"number as keyword": {"", raw{"utm_campaign": php.String("c"), "utm_term": php.Int(7)}, "c", "c", "c"},
	} {
		for _, side := range []struct {
			behaviours matomo.Behaviours
			want       string
		}{
			{matomo.Behaviours{}, tt.old},
			{matomo.Behaviours{IgnoredCampaignLists: true}, tt.lists},
			{matomo.Behaviours{IgnoredCampaignLists: true, IgnoredCampaignTypes: true}, tt.both},
		} {
			in := testInput(page+tt.query, "")
			for param, value := range tt.raw {
				in.Raw.Set(param, value)
			}
			found, err := detectorOf(t, side.behaviours).Detect(in)
			got := found.Name.V
			if rejection := new(request.Rejection); errors.As(err, &rejection) && rejection.Reason == request.WrongType {
				got = "refused"
			}
			if got != side.want {
				t.Errorf("%s, ignored in URLs: %v, in parameters: %v: %q, want %q", name,
					side.behaviours.IgnoredCampaignLists, side.behaviours.IgnoredCampaignTypes, got, side.want)
			}
		}
	}
}

func TestMaskedCampaigns(t *testing.T) {
	hidden := text("__discarded_by_policy__")
	google := "https://www.google.com/search?q=k"
	for _, tt := range []struct {
		url, referrer string
		plain, masked store.Referer
	}{
		{
			page + "?utm_campaign=c&utm_term=k", "", ref(Campaign, text("c"), text("k"), text("")),
			ref(Campaign, hidden, hidden, text("")),
		},
		{page + "?utm_campaign=c", "", ref(Campaign, text("c"), text(""), text("")), ref(Campaign, hidden, hidden, text(""))},
		{
			page, google, ref(SearchEngine, text("Google"), text("k"), text(google)),
			ref(SearchEngine, text("Google"), text("k"), text(google)),
		},
	} {
		for _, side := range []struct {
			masked bool
			want   store.Referer
		}{{false, tt.plain}, {true, tt.masked}} {
			in := testInput(tt.url, tt.referrer)
			in.Site.MaskCampaigns = side.masked
			if got, err := detectorOf(t, newest).Detect(in); err != nil || got.Referer != side.want {
				t.Errorf("url %q, masked: %v: %+v, %v; want %+v", tt.url, side.masked, got, err, side.want)
			}
		}
	}
}

func TestMaskedCampaignsOfConversions(t *testing.T) {
	hidden := text("__discarded_by_policy__")
	stored := ref(Campaign, text("old"), text("k"), text("x")) // before campaigns were masked
	for _, tt := range []struct {
		params        string
		plain, masked store.Referer
	}{
		{"_rcn=C&_rck=K", ref(Campaign, text("c"), text("k"), null), ref(Campaign, hidden, hidden, null)},
		{"_rcn=C", ref(Campaign, text("c"), text(""), null), ref(Campaign, hidden, hidden, null)},
		{"_rck=K", ref(Campaign, text("old"), text("k"), null), ref(Campaign, text("old"), text("k"), null)},
	} {
		for _, side := range []struct {
			masked bool
			want   store.Referer
		}{{false, tt.plain}, {true, tt.masked}} {
			r := boundRequest(tt.params, func(s *matomo.Site) { s.MaskCampaigns = side.masked })
			if got, err := detectorOf(t, newest).Attribution(r, stored); err != nil || got != side.want {
				t.Errorf("%s, masked: %v: %+v, %v; want %+v", tt.params, side.masked, got, err, side.want)
			}
		}
	}
}
