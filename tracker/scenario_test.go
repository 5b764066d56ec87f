package tracker_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
)

// moment is the time at which the entries of a scenario begin, shortly before the worker's clock.
const moment = journey.Now - 3600

// entry is a queue entry with the given requests, written as query strings, that came some seconds after moment.
func entry(after int64, requests ...string) journey.Entry {
	return entryFrom("198.18.7.7", after, requests...)
}

// entryFrom is an entry that came from an address.
func entryFrom(ip string, after int64, requests ...string) journey.Entry {
	var list []map[string]any
	for _, query := range requests {
		values, err := url.ParseQuery(query)
		if err != nil {
			panic(err)
		}
		params := map[string]any{"rec": "1", "idsite": "1"}
		for name := range values {
			params[name] = values.Get(name)
		}
		list = append(list, params)
	}
	return entryOf(ip, after, list...)
}

// entryOf is an entry whose requests have these parameters.
func entryOf(ip string, after int64, list ...map[string]any) journey.Entry {
	text, err := json.Marshal(map[string]any{
		"requests": list, "tokenAuth": false, "time": moment + after,
		"env": map[string]any{"server": map[string]string{"REMOTE_ADDR": ip, "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}},
	})
	if err != nil {
		panic(err)
	}
	return journey.Entry{Payload: string(text)}
}

const visitor = "&_id=0123456789abcdef"

func page(path string) string {
	return "url=http://site1.example.org" + url.QueryEscape(path) + "&action_name=Page" + visitor
}

// everywhere plays entries on both databases in batches of 1, 2 and 500, where the rows must be the same, and has them
// checked.
func everywhere(t *testing.T, entries []journey.Entry, check func(t *testing.T, o outcome)) {
	t.Helper()
	everywhereWith(t, nil, entries, check)
}

// everywhereWith does so with options of Matomo set.
func everywhereWith(t *testing.T, options map[string]string, entries []journey.Entry, check func(t *testing.T, o outcome)) {
	t.Helper()
	for _, database := range []string{bench.SQLite, bench.MariaDB} {
		t.Run(database, func(t *testing.T) {
			s := newStage(t, database)
			play := func(batch int) outcome {
				c := caseOf(entries)
				c.Options = options
				return s.playCase(t, c, bench.Options{Batch: batch, Random: rand.NewChaCha8([32]byte{1})})
			}
			want := play(1)
			check(t, want)
			for _, batch := range []int{2, 500} {
				for _, line := range differences(want, play(batch), sentIDs(entries)) {
					t.Errorf("batches of %d: %s", batch, line)
				}
			}
		})
	}
}

// cells are the values of a column in the order of the rows.
func cells(rows []golden.Row, column string) (values []string) {
	for _, row := range rows {
		values = append(values, fmt.Sprint(row[column]))
	}
	return values
}

func wantCells(t *testing.T, o outcome, table, column string, want ...string) {
	t.Helper()
	if got := cells(o.rows[table], column); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s.%s: %v, want %v", table, column, got, want)
	}
}

func TestPerformanceThatIsReportedInPartsAddsUp(t *testing.T) {
	event := "url=http://site1.example.org/&e_c=c&e_a=a&pv_id=abc123" + visitor
	everywhere(t, []journey.Entry{
		entry(0, page("/")+"&pv_id=abc123"),
		entry(1, page("/b")),
		entry(2, event+"&pf_net=7&pf_srv=8"),
		entry(3, event+"&pf_srv=9&pf_onl=10"),
	}, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_link_visit_action", "time_network", "7", "<nil>", "<nil>", "<nil>")
		wantCells(t, o, "log_link_visit_action", "time_server", "9", "<nil>", "<nil>", "<nil>")
		wantCells(t, o, "log_link_visit_action", "time_on_load", "10", "<nil>", "<nil>", "<nil>")
	})
}

func TestPerformanceFindsThePageViewThatAnOrderHasFlushed(t *testing.T) {
	everywhere(t, []journey.Entry{
		entry(0, page("/old")),
		entry(10, page("/new")+"&pv_id=abc123"),
		entry(11, "idgoal=0&ec_id=T1&revenue=5"+visitor),
		entry(12, "ping=1&pv_id=abc123&pf_net=7"+visitor),
		entry(13, "idgoal=0&ec_id=T2&revenue=5&pv_id=abc123&pf_srv=8"+visitor),
	}, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_link_visit_action", "time_network", "<nil>", "7")
		wantCells(t, o, "log_link_visit_action", "time_server", "<nil>", "8")
	})
}

// Matomo anonymises a referrer that comes late in the UPDATE of the visit, after it has noted it for the conversions
// of the request.
func TestLateReferrerIsNotAnonymisedForConversionsOfItsRequest(t *testing.T) {
	late := "&urlref=" + url.QueryEscape("https://www.bing.com/search?q=late")
	for option, want := range map[string][2]string{
		"":              {"https://www.bing.com/search?q=late", "late"},
		"exclude_query": {"https://www.bing.com/search", ""},
		"exclude_path":  {"https://www.bing.com/", ""},
		"exclude_all":   {"", ""},
	} {
		s := newStage(t, bench.SQLite)
		o := s.playWithOptions(t, []journey.Entry{
			entry(0, page("/")), entry(1, page("/goal/contains")+late), entry(2, "idgoal=10"+visitor),
		}, map[string]string{"PrivacyManager.anonymizeReferrer": option}, bench.Options{Batch: 25})
		wantCells(t, o, "log_visit", "referer_url", want[0])
		wantCells(t, o, "log_visit", "referer_keyword", want[1])
		wantCells(t, o, "log_conversion", "referer_keyword", "late", want[1])
		wantCells(t, o, "log_conversion", "referer_name", "Bing", "Bing")
	}
}

// Whoever adds a name to the dictionary decides on the beginning of its URL: nobody who is refused.
func TestRefusedRequestDoesNotDecideHowAURLBegins(t *testing.T) {
	event := func(url, value string) string { return "e_c=c&e_a=a&e_v=" + value + "&url=" + url + visitor }
	everywhere(t, []journey.Entry{
		entry(0, event("http://site1.example.org/", "1e400")), entry(1, event("https://www.site1.example.org/", "1")),
	}, func(t *testing.T, o outcome) {
		for _, row := range o.rows["log_action"] {
			if row["name"] == "site1.example.org/" && fmt.Sprint(row["url_prefix"]) != "3" {
				t.Errorf("url_prefix %v, want 3 (https://www.)", row["url_prefix"])
			}
		}
	})
}

func TestUserIDsAreComparedByTheDatabaseWhereCollationsDiffer(t *testing.T) {
	user := func(name string) string { return "url=http://site1.example.org/&uid=" + url.QueryEscape(name) }
	everywhere(t, []journey.Entry{
		entry(0, user("José")), entry(1, user("josé")), entry(2, user("Jose")), entry(3, user("jose ")), entry(4, user("JOSE")), entry(5, user("anna")),
	}, func(t *testing.T, o outcome) {
		if n := o.summary.Tracked; n != 6 {
			t.Errorf("%d requests tracked, want 6", n)
		}
	})
}

// TestVisitForcedByCampaignHasTheAddressOfTheLastVisit has a visitor change the network in the midst of a visit
// (spec §C.1).
func TestVisitForcedByCampaignHasTheAddressOfTheLastVisit(t *testing.T) {
	everywhere(t, []journey.Entry{
		entryFrom("198.18.7.7", 0, page("/")),
		entryFrom("198.51.100.9", 10, page("/?utm_campaign=one")),
		entryFrom("198.51.100.9", 20, page("/?utm_campaign=two")),
		entryFrom("203.0.113.5", 9000, page("/")),
	}, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_visit", "location_ip", "c6120000", "c6120000", "cb000000")
	})
}

// What is written to the visit is made anonymous, what the goals of the same request are attributed to is not
// (spec §9.5).
func TestConversionsOfTheRequestSeeItsLateReferrerInFull(t *testing.T) {
	everywhereWith(t, map[string]string{"PrivacyManager.anonymizeReferrer": "exclude_all"}, []journey.Entry{
		entry(0, page("/")),
		entry(10, "idgoal=10&url=http://site1.example.org/&urlref=http://other.example.net/x"+visitor),
		entry(20, "idgoal=11&url=http://site1.example.org/"+visitor),
	}, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_visit", "referer_name", "")
		wantCells(t, o, "log_conversion", "referer_name", "other.example.net", "")
	})
}

// Matomo refuses a request for its time before it looks at the site: nothing is noted of a site that does not exist,
// and the intranet rule of spec §3.6 is not given its turn.
func TestTimeIsJudgedBeforeTheSite(t *testing.T) {
	everywhere(t, []journey.Entry{
		entry(0, "idsite=99&cdo=90000"), entry(1, "idsite=98&cdt=1e20"), entry(2, "idsite=97"),
	}, func(t *testing.T, o outcome) {
		wantCells(t, o, "tracking_failure", "idsite", "97")
	})
	intranet := func(id string) string { return "idsite=6&url=http://intranet.local/" + "&_id=" + id }
	everywhere(t, []journey.Entry{
		entry(0, intranet("0123456789abcdef")),            // ids are trusted
		entry(10, intranet("1123456789abcdef")),           // not trusted: the same browser, so the same visit
		entry(20, intranet("2123456789abcdef&cdo=90000")), // refused
		entry(30, intranet("3123456789abcdef")),           // trusted: somebody else
	}, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_visit", "visit_total_actions", "2", "1")
	})
}

// Matomo notes an unknown site unless something is of a wrong type while it looks whether the request is excluded
// (spec §12.1).
func TestClientHintsOfAWrongTypeLeaveAnUnknownSiteUnnoted(t *testing.T) {
	everywhere(t, []journey.Entry{
		entry(0, `idsite=99&uadata={"platform":"Linux","platformVersion":1.5,"formFactors":["Tablet"]}`),
		entry(1, `idsite=98&uadata={"platform":"Linux","platformVersion":"1.5","formFactors":["Tablet"]}`),
	}, func(t *testing.T, o outcome) {
		wantCells(t, o, "tracking_failure", "idsite", "98")
	})
}

// Of items that cannot be read Matomo makes no cart, though the visit counts as one with a cart. The update of the row
// that is not there succeeds whatever the new cart holds, so its items are written (spec §8.5).
func TestItemsOfACartThatHasNoRowAreWritten(t *testing.T) {
	everywhere(t, []journey.Entry{
		entry(0, `idsite=2&idgoal=0&ec_items="x"`+visitor),
		entry(10, `idsite=2&idgoal=0&ec_items=[["SKU1","Shoe","Shoes",9.5,70000]]`+visitor),
	}, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_conversion", "idgoal")
		wantCells(t, o, "log_conversion_item", "quantity", "70000")
	})
}
