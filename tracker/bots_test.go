package tracker_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"sort"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
	"github.com/queuedtracking/queuedtracking/tracker/exclude"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// onVersion plays entries on an installation of Matomo 6 that says it is another version, on both databases in batches
// of 1, 2 and 500, where the rows must be the same, and has them checked.
func onVersion(t *testing.T, version string, entries []journey.Entry, check func(t *testing.T, o outcome)) {
	t.Helper()
	onVersionWith(t, bench.OwnSix(root), version, entries, check)
}

// onVersionWith is onVersion with the device-detector of other data.
func onVersionWith(t *testing.T, devices bench.Data, version string, entries []journey.Entry, check func(t *testing.T, o outcome)) {
	t.Helper()
	for _, database := range []string{bench.SQLite, bench.MariaDB} {
		t.Run(version+" "+database, func(t *testing.T) {
			data := bench.OwnSix(root)
			s := &stage{Bench: bench.New(t, database, data, devices.Devices(t)), home: data.Home(t, false)}
			play := func(batch int) outcome {
				c := caseOf(entries)
				c.Options = map[string]string{"version_core": version}
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

const (
	chatbot = "&ua=Mozilla/5.0+(compatible)+Googlebot/2.1+ChatGPT-User/1.0" // a bot for device-detector, too
	young   = "&ua=Claude-User"                                             // for plugin BotTracking alone
	crawler = "&ua=Mozilla/5.0+(compatible)+Googlebot/2.1"
)

// summaryOf is what became of the requests, in words.
func summaryOf(o outcome) string {
	r := o.summary.Result
	words := []string{fmt.Sprintf("%d tracked", r.Tracked), fmt.Sprintf("%d of bots", r.BotRequests)}
	for reason, n := range r.Excluded {
		words = append(words, fmt.Sprintf("%d excluded: %s", n, reason))
	}
	for reason, n := range r.Rejected {
		words = append(words, fmt.Sprintf("%d rejected: %s", n, reason))
	}
	sort.Strings(words[2:])
	return strings.Join(words, ", ")
}

func wantSummary(t *testing.T, o outcome, want ...string) {
	t.Helper()
	if got := summaryOf(o); got != strings.Join(want, ", ") {
		t.Errorf("summary: %s, want %s", got, strings.Join(want, ", "))
	}
}

// TestRecModeDecidesBetweenVisitsAndBots shows both sides of behaviour BotRequests.
func TestRecModeDecidesBetweenVisitsAndBots(t *testing.T) {
	var entries []journey.Entry
	add := func(path, more string) {
		entries = append(entries, entry(int64(len(entries)), "url=http://site1.example.org/"+path+more))
	}
	add("person", "")
	add("person-0", "&recMode=0")
	add("person-1", "&recMode=1")
	add("person-2", "&recMode=2")
	add("person-3", "&recMode=3")
	add("chatbot", chatbot)
	add("chatbot-1", chatbot+"&recMode=1")
	add("chatbot-2", chatbot+"&recMode=2&bots=1")
	add("chatbot-2x", chatbot+"&recMode=2x")
	add("chatbot-0.0", chatbot+"&recMode=0.0")
	add("crawler-1", crawler+"&recMode=1")
	add("crawler-2", crawler+"&recMode=2")
	add("crawler-bots", crawler+"&bots=1")
	add("young", young)
	add("young-1", young+"&recMode=1")
	onVersion(t, "5.7.0", entries, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_bot_request", "bot_name", "ChatGPT-User", "ChatGPT-User", "ChatGPT-User", "Claude-User")
		wantCells(t, o, "log_bot_request", "server_time", at(6), at(7), at(8), at(14))
		wantSummary(t, o, "9 tracked", "4 of bots", "1 excluded: "+exclude.Bot, "1 excluded: "+exclude.NoBot,
			"2 excluded: "+exclude.UnlistedBot, "2 excluded: "+exclude.UnknownRecMode)
		if n := len(o.rows["log_link_visit_action"]); n != 5 {
			t.Errorf("%d page views, want 5: three of a person, one of a crawler with bots=1, one of a bot that is not known as one", n)
		}
	})
	onVersion(t, "5.6.2", entries, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_bot_request", "bot_name")
		wantSummary(t, o, "9 tracked", "0 of bots", "6 excluded: "+exclude.Bot)
	})
}

// at is a time of an entry as the tables have it.
func at(after int64) string { return php.DateTime(moment + after) }

// TestTypeOfBotsChangedWithChatbots shows both sides of behaviour BotTypeChatbot.
func TestTypeOfBotsChangedWithChatbots(t *testing.T) {
	entries := []journey.Entry{entry(0, "recMode=1&url=http://site1.example.org/p"+chatbot)}
	for version, want := range map[string]string{"5.7.0": "ai_assistant", "5.8.0": "ai_chatbot"} {
		onVersion(t, version, entries, func(t *testing.T, o outcome) { wantCells(t, o, "log_bot_request", "bot_type", want) })
	}
}

func TestBotRequestsAreCheckedLikeVisits(t *testing.T) {
	page := "url=http://site1.example.org/p&recMode=1" + chatbot
	onVersion(t, "6.0.0", []journey.Entry{
		entry(0, page),
		entry(1, page+"&idsite=77"),                // refused, and excluded from the failures as a bot
		entry(2, page+"&idsite=78&bots=1"),         // refused
		entry(3, page+"&city=Wien"),                // refused
		entry(4, page+"&cdt=2020-01-01+00:00:00"),  // refused
		entry(5, page+"&rec=0&ping=1&cip=1.2.3.4"), // nothing of that matters
		entry(6, page+"&http_status=65536"),        // does not fit
		// its URL is there all the same
		entry(7, "url=http://site1.example.org/new&recMode=1&source="+strings.Repeat("x", 51)+chatbot),
	}, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_bot_request", "server_time", at(0), at(5))
		wantCells(t, o, "tracking_failure", "idsite", "78")
		wantCells(t, o, "log_visit", "idvisit")
		wantCells(t, o, "log_action", "name", "site1.example.org/p", "site1.example.org/new")
		wantSummary(t, o, "2 tracked", "2 of bots", "2 excluded: "+exclude.UnfitBot,
			"2 rejected: "+string(request.NotAuthenticated), "2 rejected: "+string(request.UnknownSite))
	})
}

func TestBotRequestsOfPastDaysAskForNewReports(t *testing.T) {
	past := func(mode, more string) string {
		return "url=http://site1.example.org/p&cdt=2026-11-2" + mode +
			"+12:00:00&recMode=1&token_auth=a1b2c3d4e5f60718293a4b5c6d7e8f90" + more
	}
	onVersion(t, "6.0.0", []journey.Entry{
		entry(0, past("0", chatbot)),
		entry(1, past("1", crawler)),                      // no row is due
		entry(2, past("2", chatbot+"&http_status=65536")), // the row is lost
		entry(3, past("0", chatbot)),
	}, func(t *testing.T, o outcome) {
		var days []string
		for _, row := range o.rows["option"] {
			name := fmt.Sprint(row["option_name"])
			if _, rest, found := strings.Cut(name, "report_to_invalidate_"); found {
				days = append(days, rest[:len("1_2026-11-20")])
			}
		}
		sort.Strings(days)
		if got, want := fmt.Sprint(days), "[1_2026-11-20 1_2026-11-22]"; got != want {
			t.Errorf("days %s, want %s", got, want)
		}
	})
}

// TestUnclearSiteIDsAreNoFailures shows both sides of behaviour OnlyClearFailures.
func TestUnclearSiteIDsAreNoFailures(t *testing.T) {
	var entries []journey.Entry
	for i, site := range []string{"71", "0", "072", "73.0", "1e2", "+74", "-75", "abc", "9999999", "10000000"} {
		entries = append(entries, entry(int64(i), "url=http://site1.example.org/&idsite="+url.QueryEscape(site)))
	}
	onVersion(t, "5.7.0", entries, func(t *testing.T, o outcome) { wantSites(t, o, "0", "71", "9999999") })
	onVersion(t, "5.6.2", entries, func(t *testing.T, o outcome) { wantSites(t, o, "0", "71", "72", "73", "74", "100", "9999999") })
}

func wantSites(t *testing.T, o outcome, want ...string) {
	t.Helper()
	got := cells(o.rows["tracking_failure"], "idsite")
	sort.Slice(got, func(i, j int) bool { return len(got[i]) < len(got[j]) || len(got[i]) == len(got[j]) && got[i] < got[j] })
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("failures of sites %v, want %v", got, want)
	}
}

// TestClientHintsAreReadBeforeAnyRule shows both sides of behaviour BotRequests: since there are bots to be told from
// people, client hints of a wrong type refuse also what nothing would be recorded of. Only a device-detector before
// 6.5.1 refuses them.
func TestClientHintsAreReadBeforeAnyRule(t *testing.T) {
	page := "url=http://site1.example.org/p&uadata=" + url.QueryEscape(`{"model":5}`)
	entries := []journey.Entry{entry(0, page+"&rec=0"), entry(1, page), entry(2, page+"&recMode=1")}
	devices := bench.Own(root)
	onVersionWith(t, devices, "5.7.0", entries, func(t *testing.T, o outcome) {
		wantSummary(t, o, "0 tracked", "0 of bots", "3 rejected: "+string(request.WrongType))
	})
	onVersionWith(t, devices, "5.6.2", entries, func(t *testing.T, o outcome) {
		wantSummary(t, o, "0 tracked", "0 of bots", "1 excluded: "+exclude.NotRecorded,
			"2 rejected: "+string(request.WrongType))
	})
}
