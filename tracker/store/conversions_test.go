package store

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func insertVisit(t testing.TB, s *Store, visitor byte) *Visit {
	t.Helper()
	v := newTestVisit(1, visitor, testTime)
	inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, []*Visit{v}) })
	return v
}

func newTestConversion(v *Visit, goal int64) *Conversion {
	return &Conversion{Visit: v, SiteID: 1, Visitor: v.Visitor, ServerTime: testTime, GoalID: goal, CountVisits: 1}
}

func order(v *Visit, id string, buster int64) *Conversion {
	c := newTestConversion(v, 0)
	c.OrderID, c.Buster, c.Revenue, c.Items = Text(id), buster, Text("19.99"), Int(2)
	return c
}

func insertConversions(t testing.TB, s *Store, conversions ...*Conversion) (inserted int) {
	t.Helper()
	for _, c := range conversions {
		s.ConformConversion(c)
	}
	inTx(t, s, func(ctx context.Context, tx *Tx) error {
		return tx.InsertConversions(ctx, conversions, func(n int) { inserted += n })
	})
	return inserted
}

func TestConversionsThatExistAreLeftOut(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		v := insertVisit(t, s, 1)
		exists := func(id int64, c *Conversion) (exists bool) {
			inTx(t, s, func(ctx context.Context, tx *Tx) (err error) {
				exists, err = tx.ConversionExists(ctx, id, c)
				return err
			})
			return exists
		}
		goal, placed := newTestConversion(v, 1), order(v, "A-1", 77)
		goal.URL, goal.Items = "http://example.org/?", Int(70_000)
		there := func(about string, id int64, c *Conversion, want bool) {
			t.Helper()
			if got := exists(id, c); got != want {
				t.Errorf("%s: exists %v, want %v", about, got, want)
			}
		}
		there("goal, not written", v.ID, goal, false)
		there("order, not written", v.ID, placed, false)
		if n := insertConversions(t, s, goal, placed, newTestConversion(v, 1), newTestConversion(v, 2)); n != 3 {
			t.Errorf("%d inserted, want 3", n)
		}
		w := insertVisit(t, s, 2)
		again := order(w, "a-1", 78) // the same order id to the collation
		there("goal", v.ID, goal, true)
		there("order of another visit", 0, again, true)
		there("goal of a visit to come", 0, newTestConversion(w, 1), false)
		there("goal of another visit", w.ID, newTestConversion(w, 1), false)
		if n := insertConversions(t, s, again); n != 0 {
			t.Errorf("%d inserted, want none", n)
		}
		var items int64
		if err := s.db.Get(&items, "SELECT items FROM m_log_conversion WHERE idgoal = 1"); err != nil || items != 65535 {
			t.Errorf("%d items, error %v; want 65535 and none", items, err)
		}
	})
}

type storedConversion struct {
	Goal    int64    `db:"idgoal"`
	Buster  int64    `db:"buster"`
	Order   NullText `db:"idorder"`
	Items   NullInt  `db:"items"`
	URL     string   `db:"url"`
	Tax     NullText `db:"revenue_tax"`
	Country NullText `db:"location_country"`
	Name    NullText `db:"referer_name"`
	Custom  NullText `db:"custom_dimension_1"`
	VarK1   NullText `db:"custom_var_k1"`
	Before  NullInt  `db:"pageviews_before"`
}

func readConversions(t testing.TB, s *Store) (rows []storedConversion) {
	t.Helper()
	if err := s.db.Unsafe().Select(&rows, "SELECT * FROM m_log_conversion ORDER BY idvisit, idgoal"); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestOrderTakesThePlaceOfTheCart(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		v := insertVisit(t, s, 1)
		cart := newTestConversion(v, -1)
		cart.Items, cart.URL, cart.CustomDimensions = Int(3), "kept", []NullText{Text("kept")}
		cart.CustomVars = []CustomVar{{Text("kept"), Text("kept")}}
		cart.Referer.Name, cart.Location.Country = Text("before"), Text("de")
		insertConversions(t, s, cart)
		placed := order(v, "B-1", 5)
		placed.PageviewsBefore, placed.RevenueTax, placed.Location.Country = Int(4), Text("1.5"), Text("nz")
		if err := s.ConformCart(placed); err != nil {
			t.Fatal(err)
		}
		update := func(c *Conversion) (recorded bool) {
			inTx(t, s, func(ctx context.Context, tx *Tx) (err error) {
				recorded, err = tx.UpdateCart(ctx, c)
				return err
			})
			return recorded
		}
		if !update(placed) {
			t.Error("recorded false of an order, want true")
		}
		if !update(newTestConversion(v, -1)) {
			t.Error("recorded true of a cart that is gone, want false")
		}
		want := []storedConversion{{
			0, 5, Text("B-1"), Int(2), "kept", Text("1.5"), Text("nz"),
			NullText{},
			Text("kept"), Text("kept"),
			Int(4),
		}}
		if diff := cmp.Diff(want, readConversions(t, s)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		w := insertVisit(t, s, 2)
		insertConversions(t, s, newTestConversion(w, -1))
		if update(order(w, "b-1", 6)) {
			t.Error("recorded true of an order id that is taken, want false")
		}
	})
}

func TestCartIsRefusedWhereAConversionIsClamped(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		c := newTestConversion(newTestVisit(1, 1, testTime), -1)
		c.Items = Int(65_536)
		var refused *DataError
		if err := s.ConformCart(c); !errors.As(err, &refused) || refused.Column != "items" ||
			refused.Table != "log_conversion" {
			t.Errorf("error %v, want one of log_conversion.items", err)
		}
		s.ConformConversion(c)
		if c.Items != Int(65_535) {
			t.Errorf("%v items, want 65535", c.Items)
		}
	})
}

func TestItemsAreFoundUpdatedMovedAndAdded(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		v, w := insertVisit(t, s, 1), insertVisit(t, s, 2)
		item := func(order string, sku int64, price string, quantity int64) Item {
			return Item{
				Visit: v, SiteID: 1, Visitor: v.Visitor, ServerTime: testTime, OrderID: order, SKU: ActionID{Valid: true, ID: sku},
				Name: NoAction, Categories: [5]ActionID{NoAction, NoAction, NoAction, NoAction, NoAction}, Price: price,
				Quantity: quantity,
			}
		}
		apply := func(updates []ItemUpdate, inserts []Item) {
			t.Helper()
			inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.ApplyItems(ctx, updates, inserts) })
		}
		items := func(v *Visit, order NullText) (found []Item) {
			t.Helper()
			inTx(t, s, func(ctx context.Context, tx *Tx) (err error) {
				found, err = tx.FindItems(ctx, v, order)
				return err
			})
			return found
		}
		apply(nil, []Item{
			item("0", 11, "1.5", 1), item("0", 12, "2", 99_999_999_999), item("0", 11, "7", 7),
			item("X", 13, "3", 1),
		})
		want := []Item{item("0", 11, "1.5", 1), item("0", 12, "2", 4_294_967_295)}
		if diff := cmp.Diff(want, items(v, NullText{})); diff != "" {
			t.Errorf("cart (-want +got):\n%s", diff)
		}
		if found := items(w, Text("X")); len(found) != 0 {
			t.Errorf("items of another visit: %v, want none", found)
		}
		deleted := item("X", 12, "2", 1)
		deleted.Deleted = true
		apply([]ItemUpdate{{"0", item("X", 11, "1.75", 4)}, {"0", deleted}}, []Item{item("X", 14, "5", 1)})
		want = []Item{item("X", 11, "1.75", 4), deleted, item("X", 13, "3", 1), item("X", 14, "5", 1)}
		if diff := cmp.Diff(want, items(v, Text("x"))); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		var refused *DataError
		err := func() error {
			tx, err := s.Begin(t.Context())
			if err != nil {
				return err
			}
			defer tx.Rollback() // that is what it is for
			return tx.ApplyItems(t.Context(), []ItemUpdate{{"X", item("X", 11, "1", -1)}}, nil)
		}()
		if !errors.As(err, &refused) || refused.Column != "quantity" {
			t.Errorf("error %v, want one of quantity", err)
		}
	})
}
