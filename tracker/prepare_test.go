package tracker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// A batch that could not be prepared is prepared again: its requests for intranet sites have had no turn yet
// (spec §3.6). Of two in a row the first is trusted, the second is not: it is found by its browser.
func TestPreparationThatFailsLeavesTheIntranetRuleAsItWas(t *testing.T) {
	p := newPipeline(t)
	intranet := func(id string) string {
		return "idsite=6&url=http://intranet.local/&cdt=2026-11-18+12:00:00&token_auth=" + superuserToken + "&_id=" + id
	}
	// Token and site are remembered. The rule gets no turn with a request that is refused for its time.
	p.prepare(t, entry(0, old("parameter")+"&token_auth="+superuserToken), entry(1, "idsite=6&cdo=90000"))
	entries := decode(t, entry(2, intranet("0123456789abcdef")), entry(3, intranet("1123456789abcdef")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.tracker.Prepare(ctx, entries[:1])
	if want := "fingerprint salts"; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), want) {
		t.Fatalf("error %v, want %v of %s", err, context.Canceled, want)
	}
	batch, err := p.tracker.Prepare(t.Context(), entries)
	if err != nil {
		t.Fatal(err)
	}
	if r := p.write(t, batch); r.Tracked != 2 || r.Visits != 1 {
		t.Errorf("%d requests in %d visits, want 2 in 1", r.Tracked, r.Visits)
	}
}
