package tracker_test

import (
	"context"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
)

func decode(t *testing.T, entries ...journey.Entry) (sets []queue.RequestSet) {
	t.Helper()
	for _, e := range entries {
		set, err := queue.Decode([]byte(e.Payload))
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, set)
	}
	return sets
}

func (p *pipeline) prepare(t *testing.T, entries ...journey.Entry) *tracker.Prepared {
	t.Helper()
	batch, err := p.tracker.Prepare(context.Background(), decode(t, entries...))
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

// write writes the batch and rolls back.
func (p *pipeline) write(t *testing.T, batch *tracker.Prepared) *tracker.Result {
	t.Helper()
	tx, err := p.assembly.Store().Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() // nothing is to be kept
	result, err := p.tracker.Write(context.Background(), tx, batch)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestBatchWithoutTheRequestThatIsToBlame(t *testing.T) {
	p := newPipeline(t)
	batch := p.prepare(t, entry(0, page("/a")), entry(1, page("/b"), page("/c")), entry(2, unknownGoal))
	if n := batch.Len(); n != 4 {
		t.Fatalf("%d requests, want 4", n)
	}
	if r := p.write(t, batch.Prefix(2)); r.Requests != 2 || r.Tracked != 2 || r.Actions != 2 {
		t.Errorf("the first two: %+v", r)
	}
	cause := errors.New("too long")
	if !batch.Fail(1, cause) {
		t.Error("request 1 cannot be taken out")
	}
	if batch.Fail(3, cause) {
		t.Error("request 3 is refused anyway, but can be taken out")
	}
	r := p.write(t, batch)
	if r.Tracked != 2 || r.Failed != 1 || r.Actions != 2 || r.Visits != 1 {
		t.Errorf("without request 1: %+v", r)
	}
	if refused := r.Refusals[0]; refused.Set != 1 || refused.Request != 0 || !refused.Failed || !errors.Is(refused.Err, cause) {
		t.Errorf("refusal: %+v", refused)
	}
}

func TestPreviewCountsAsWriteDoesAndWritesNothing(t *testing.T) {
	p := newPipeline(t)
	entries := []journey.Entry{
		entry(0, page("/goal/contains")+"&pv_id=abc123"),
		entry(1, "url=http://site1.example.org/&e_c=c&e_a=a&pf_net=1&pv_id=abc123"+visitor),
		entry(2, "idgoal=0&revenue=3"+visitor), entry(3, "idgoal=0&ec_id=1&revenue=3"+visitor), entry(4, "ping=1"+visitor),
		entry(5, unknownGoal, unknownSite), entry(6, "rec=0"), entry(90, page("/next")),
	}
	batch := p.prepare(t, entries...)
	tx, err := p.assembly.Store().Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	tx.AfterWrites(func() { t.Error("a preview writes") })
	preview, err := p.tracker.Preview(context.Background(), tx, batch)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	r := p.write(t, batch)
	if preview.Tracked != r.Tracked || len(preview.Refusals) != len(r.Refusals) || len(preview.Excluded) != len(r.Excluded) || r.Tracked != 6 {
		t.Errorf("preview %+v\nwritten %+v", preview, r)
	}
}

func TestVisitorsAreToldByTheInstallationsSettings(t *testing.T) {
	p := newPipeline(t)
	visitors, err := p.tracker.Visitors(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ query, id string }{
		{"_id=0123456789abcdef", "\x01\x23\x45\x67\x89\xab\xcd\xef"},
		{"uid=anna&_id=0123456789abcdef", "\x2b\xc1\xec\xb4\x10\xe1\x42\xbc"},
		{"cid=123", ""},
		{"idsite=99&_id=0123456789abcdef", "\x01\x23\x45\x67\x89\xab\xcd\xef"},
		{"", ""},
		{"cip=203.0.113.5", ""}, // not authenticated: the address of the header counts
	}
	for _, test := range tests {
		id, ip := visitors(decode(t, entry(0, test.query))[0], 0)
		if want := "198.18.7.7"; string(id) != test.id || ip != want {
			t.Errorf("%s: visitor %x at %s, want %x at %s", test.query, id, ip, test.id, want)
		}
	}
}

// A site may have settings of its own, as whether a user id overwrites the visitor id.
func TestVisitorsAreToldByTheSitesSettings(t *testing.T) {
	data := bench.Own(root)
	a := bench.New(t, bench.SQLite, data, data.Devices(t)).Assemble(t, &golden.Case{
		Now: journey.Now, Config: map[string]map[string]any{"Tracker_2": {"enable_userid_overwrites_visitorid": 0}},
	}, data.Home(t, false))
	visitors, err := a.NewTracker().Visitors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for site, want := range map[string]string{"1": "2bc1ecb410e142bc", "2": "0123456789abcdef"} {
		id, _ := visitors(decode(t, entry(0, "idsite="+site+"&uid=anna"+visitor))[0], 0)
		if got := hex.EncodeToString(id); got != want {
			t.Errorf("site %s: visitor %s, want %s", site, got, want)
		}
	}
}
