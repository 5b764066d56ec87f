package store

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func pageview(v *Visit, id string, url, title ActionID) *LinkAction {
	return &LinkAction{
		Visit: v, SiteID: 1, Visitor: v.Visitor, ServerTime: testTime, PageviewID: Text(id), URL: url,
		Name: title, URLRef: NoAction,
	}
}

func insertLinks(t testing.TB, s *Store, links ...*LinkAction) {
	t.Helper()
	for _, l := range links {
		if err := s.ConformLinkAction(l); err != nil {
			t.Fatal(err)
		}
	}
	inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertLinkActions(ctx, links) })
}

func TestPageviewsAreFound(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		v, w := insertVisit(t, s, 1), insertVisit(t, s, 2)
		url, title, download := entry(1, "example.org/"), entry(4, "Title"), entry(3, "example.org/a.pdf")
		create(t, s, url, title, download)
		titled := pageview(v, "aaaaaa", NoAction, ActionOf(title))
		both := pageview(v, "aaaaaa", ActionOf(url), ActionOf(title))
		second := pageview(v, "aaaaaa", ActionOf(url), NoAction)
		onlyTitle := pageview(v, "bbbbbb", NoAction, ActionOf(title))
		file := pageview(v, "cccccc", ActionOf(download), NoAction)
		insertLinks(t, s, titled, both, second, onlyTitle, file)
		queries := []PageviewQuery{
			{v.ID, "aaaaaa"}, {v.ID, "bbbbbb"}, {v.ID, "cccccc"}, {w.ID, "aaaaaa"}, {v.ID, "aaaaaaa"}, {v.ID, "'"},
		}
		for len(queries) <= maxRows/2 {
			queries = append(queries, PageviewQuery{v.ID, "zzzzzz"})
		}
		queries = append(queries, PageviewQuery{v.ID, "bbbbbb"})
		var found []int64
		inTx(t, s, func(ctx context.Context, tx *Tx) (err error) {
			found, err = tx.FindPageviews(ctx, queries)
			return err
		})
		if diff := cmp.Diff([]int64{both.ID, onlyTitle.ID, 0, 0, 0, 0}, found[:6]); diff != "" {
			t.Errorf("the first ones (-want +got):\n%s", diff)
		}
		if got := found[len(found)-1]; got != onlyTitle.ID {
			t.Errorf("the last one: %d, want %d", got, onlyTitle.ID)
		}
	})
}

func TestLinkActionsAreUpdated(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		v := insertVisit(t, s, 1)
		var links []*LinkAction
		for range 3 {
			l := pageview(v, "", NoAction, NoAction)
			l.Performance = Performance{Network: Int(1), Server: Int(2)}
			l.CustomFloat, l.ProductPrice = Text("1.5"), Text("0.1")
			links = append(links, l)
		}
		insertLinks(t, s, links...)
		stats := inTx(t, s, func(ctx context.Context, tx *Tx) error {
			return tx.UpdateLinkActions(ctx, []LinkChange{
				{Link: LinkOf(links[2]), TimeSpent: Int(30)},
				{Link: LinkOf(links[0]), TimeSpent: Int(10)},
				{Link: LinkOf(links[1]), Performance: &Performance{Server: Int(20), OnLoad: Int(0)}},
				{Link: LinkID{Valid: true, ID: links[1].ID + 1000}, TimeSpent: Int(1)},
				{Link: LinkID{Valid: true, ID: 7}},
			})
		})
		if stats.Statements != 3 || stats.GoneVisits != 0 {
			t.Errorf("%+v, want 3 statements and no visit that is gone", stats)
		}
		var rows []struct {
			Spent   NullInt `db:"time_spent"`
			Network NullInt `db:"time_network"`
			Server  NullInt `db:"time_server"`
			Load    NullInt `db:"time_on_load"`
			Float   float64 `db:"custom_float"`
		}
		if err := s.db.Unsafe().Select(&rows, "SELECT * FROM m_log_link_visit_action ORDER BY idlink_va"); err != nil {
			t.Fatal(err)
		}
		type row = struct{ Spent, Network, Server, Load NullInt }
		want := []row{
			{Int(10), Int(1), Int(2), NullInt{}},
			{NullInt{}, Int(1), Int(20), Int(0)},
			{Int(30), Int(1), Int(2), NullInt{}},
		}
		if len(rows) != len(want) {
			t.Fatalf("%d rows, want %d", len(rows), len(want))
		}
		for i, r := range rows {
			if diff := cmp.Diff(want[i], row{r.Spent, r.Network, r.Server, r.Load}); diff != "" || r.Float != 1.5 {
				t.Errorf("row %d: custom_float %v, want 1.5 (-want +got):\n%s", i, r.Float, diff)
			}
		}
	})
}

func TestLastLinkOfNewVisitIsWrittenAfterwards(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		v := newTestVisit(1, 1, testTime)
		link := pageview(v, "", NoAction, NoAction)
		v.LastLinkAction = LinkOf(link)
		before := *v
		before.LastLinkAction = LinkID{}
		inTx(t, s, func(ctx context.Context, tx *Tx) error {
			if err := tx.InsertVisits(ctx, []*Visit{v}); err != nil {
				return err
			}
			if err := tx.InsertLinkActions(ctx, []*LinkAction{link}); err != nil {
				return err
			}
			return tx.UpdateVisits(ctx, []VisitChange{{&before, v}})
		})
		if got := find(t, s, byVisitorQuery(v))[0].LastLinkAction.ID; got != link.ID || got == 0 {
			t.Errorf("last_idlink_va %d, want %d", got, link.ID)
		}
	})
}
