package tracker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// Tokens of the reference installation, both of a superuser.
const (
	superuserToken  = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
	secureOnlyToken = "b1b2c3d4e5f60718293a4b5c6d7e8f91"
)

// bearer lets an entry come with a header Authorization.
func bearer(token string, e journey.Entry) journey.Entry {
	const server = `"server":{`
	e.Payload = strings.Replace(e.Payload, server, server+`"HTTP_AUTHORIZATION":"Bearer `+token+`",`, 1)
	return e
}

// old is a page view of a day that needs a token.
func old(path string) string {
	return "url=http://site1.example.org/" + path + "&cdt=2026-11-20+12:00:00"
}

// TestBearerTokensCountForTheirEntryAlone holds against Matomo's worker, in which a token, and the way in which it
// came, count for all entries behind it. Both sides of behaviour BearerTokens.
func TestBearerTokensCountForTheirEntryAlone(t *testing.T) {
	entries := []journey.Entry{
		bearer(superuserToken, entry(0, old("header"))),
		entry(1, old("no-token")),
		bearer(secureOnlyToken, entry(2, old("secure-header"))),
		entry(3, old("secure-parameter")+"&token_auth="+secureOnlyToken),
		bearer(secureOnlyToken, entry(4, old("secure-header-again"))),
		bearer(superuserToken, entry(5, old("other-own-token")+"&token_auth=wrong")),
		entry(6, old("parameter")+"&token_auth="+superuserToken),
	}
	check := func(refused int, pages ...string) func(t *testing.T, o outcome) {
		return func(t *testing.T, o outcome) {
			var want []string
			for _, page := range pages {
				want = append(want, "site1.example.org/"+page)
			}
			wantCells(t, o, "log_action", "name", want...)
			if got, want := fmt.Sprint(o.summary.Rejected), fmt.Sprintf("map[%s:%d]", request.NotAuthenticated,
				refused); got != want {
				t.Errorf("rejected %s, want %s", got, want)
			}
		}
	}
	onVersion(t, "5.4.0", entries, check(3, "header", "secure-header", "secure-header-again", "parameter"))
	onVersion(t, "5.3.2", entries, check(6, "parameter"))
}

// A query for a token ends with the caller's context, and then the batch is not prepared: its request is neither
// refused nor put aside.
func TestTokensAreAskedUnderTheCallersContext(t *testing.T) {
	p := newPipeline(t)
	p.prepare(t, entry(0, page("/a"))) // settings and sites are known from here on
	entries := []journey.Entry{entry(1, old("parameter")+"&token_auth=nobodys")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.tracker.Prepare(ctx, decode(t, entries...)); !errors.Is(err, context.Canceled) {
		t.Errorf("the batch is prepared under a context that has ended: %v", err)
	}
	if r := p.write(t, p.prepare(t, entries...)); r.Rejected[request.NotAuthenticated] != 1 || r.Failed != 0 {
		t.Errorf("afterwards: %+v, want 1 refused", r)
	}
}
