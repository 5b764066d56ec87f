package cmd

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

// bearerToken is of no form by which it could be told.
const bearerToken = "no-hex-digits"

// withFailures is an installation whose last run has put three things aside: a damaged entry, one request of a bulk
// request, and a single one; the column user_id is too short for them, for now.
func withFailures(t *testing.T) *installation {
	t.Helper()
	i := newInstallation(t)
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 1")
	i.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(40) DEFAULT NULL")
	long := func(name string) *php.Array {
		params := pageView(name).Requests[0]
		params.Set("uid", php.String(strings.Repeat(name, 20)))
		params.Set("token_auth", php.String("0123456789abcdef0123456789abcdef"))
		return params
	}
	bulk := pageView("first")
	bulk.EmptyToken = true
	bulk.Env.Server.Set("HTTP_AUTHORIZATION", php.String("Bearer "+bearerToken))
	bulk.Requests = []*php.Array{bulk.Requests[0], long("second"), pageView("third").Requests[0]}
	i.add(t, bulk, 1)
	single := pageView("fourth")
	single.Requests[0] = long("fourth")
	i.add(t, single, 1)
	if err := i.backend.Append(context.Background(), queue.Key(0),
		[]byte("no entry \x1b[31m token_auth=0123456789abcdef0123456789abcdef Bearer "+bearerToken)); err != nil {
		t.Fatal(err)
	}
	r := i.ok(t, "process", "--force-num-requests-process-at-once", "1")
	contains(t, r.stdout, "Tracked: 2 of 4 requests", "Dead letters: 3", "  2 requests that could not be written",
		"  1 entry that could not be read")
	return i
}

// listed reads failed list --json.
func (i *installation) listed(t *testing.T, args ...string) (found []printedLetter) {
	t.Helper()
	r := i.ok(t, append([]string{"failed", "list", "--json"}, args...)...)
	for line := range strings.Lines(r.stdout) {
		var l printedLetter
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		found = append(found, l)
	}
	return found
}

func TestFailedListsByQueueAndReason(t *testing.T) {
	i := withFailures(t)
	r := i.ok(t, "failed", "list")
	contains(t, r.stdout, "log_visit.user_id: too long", "undecodable queue entry", "Queue 0: 2 data refused", "Queue 0: 1 undecodable entry")
	lacks(t, r.stdout, "0123456789abcdef0123456789abcdef", "\x1b")
	if found := i.listed(t, "--reason", "data refused"); len(found) != 2 || found[0].Reason != "data refused" {
		t.Errorf("%+v", found)
	}
	if found := i.listed(t, "--queue-id", "1"); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	contains(t, i.ok(t, "failed", "list", "--limit", "1").stdout, "2 more")
	contains(t, i.ok(t, "failed", "list", "--queue-id", "3").stdout, "No dead letters.")
}

func TestFailedShowsWithoutSecrets(t *testing.T) {
	i := withFailures(t)
	for _, l := range i.listed(t) {
		for _, args := range [][]string{{"failed", "show", l.ID}, {"failed", "show", l.ID[:6], "--json"}} {
			r := i.ok(t, args...)
			contains(t, r.stdout, l.ID, l.Reason)
			lacks(t, r.stdout, "0123456789abcdef0123456789abcdef", bearerToken, "\x1b")
			switch {
			case l.Request == nil:
				contains(t, r.stdout, "no entry")
			case *l.Request == 1:
				contains(t, r.stdout, "second", "***")
				lacks(t, r.stdout, "third")
			default:
				contains(t, r.stdout, "fourth")
			}
		}
	}
	if r := i.run(t, []string{"failed", "show", "beef"}); r.status != statusFailed || !strings.Contains(r.stderr, `no dead letter "beef"`) {
		t.Errorf("exit status %d: %s", r.status, r.stderr)
	}
}

func TestFailedRetryTracksWhatFailedOnce(t *testing.T) {
	i := withFailures(t)
	actions := i.count(t, "log_link_visit_action")
	i.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(200) DEFAULT NULL")
	contains(t, i.ok(t, "failed", "retry", "--all", "--reason", "data refused").stdout, "2 dead letters put back")
	contains(t, i.ok(t, "failed", "retry", "--all", "--reason", "data refused").stdout, "0 dead letters")
	contains(t, i.ok(t, "process", "--force-num-requests-process-at-once", "1").stdout, "Tracked: 2 of 2 requests")
	if n := i.count(t, "log_link_visit_action"); n != actions+2 {
		t.Errorf("%d actions, %d before", n, actions)
	}
	rest := i.listed(t)
	if len(rest) != 1 || rest[0].Request != nil {
		t.Fatalf("left: %+v", rest)
	}
	contains(t, i.ok(t, "failed", "delete", rest[0].ID).stdout, "1 dead letter deleted")
	if rest := i.listed(t); len(rest) != 0 {
		t.Errorf("left: %+v", rest)
	}
}

func TestFailedWantsToKnowWhich(t *testing.T) {
	i := newInstallation(t)
	for _, args := range [][]string{{"failed", "retry"}, {"failed", "delete"}, {"failed", "delete", "--all", "4f1c"}, {"failed", "show"}} {
		if r := i.run(t, args); r.status == statusDone {
			t.Errorf("%v: exit status %d", args, r.status)
		}
	}
}
