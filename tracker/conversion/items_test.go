package conversion

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

func id(n int64) store.ActionID { return store.ActionID{Valid: true, ID: n} }

func TestRowsTakeIDsByPosition(t *testing.T) {
	e, err := readItems(t, `[["s","n",["c","d"],"1.5",2],["t","","x"]]`)
	if err != nil {
		t.Fatal(err)
	}
	c := &store.Conversion{SiteID: 3, Visitor: store.BinaryID{1}, ServerTime: 99, OrderID: store.Text("O")}
	got := e.Rows(c, func(i int) store.ActionID { return id(int64(i) + 1) })
	want := []store.Item{
		{
			SiteID: 3, Visitor: store.BinaryID{1}, ServerTime: 99, OrderID: "O", SKU: id(1), Name: id(2),
			Categories: [5]store.ActionID{id(3), id(4), id(0), id(0), id(0)}, Price: "1.5", Quantity: 2,
		},
		{
			SiteID: 3, Visitor: store.BinaryID{1}, ServerTime: 99, OrderID: "O", SKU: id(8), Name: id(0),
			Categories: [5]store.ActionID{id(10), id(0), id(0), id(0), id(0)}, Price: "0", Quantity: 1,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if rows := e.Rows(&store.Conversion{}, func(int) store.ActionID { return id(1) }); rows[0].OrderID != "0" {
		t.Error(rows[0])
	}
}

func TestQuantitiesOfAllItemsDoNotOverflow(t *testing.T) {
	for in, want := range map[string]int64{
		`[["a","","",1,"9223372036854775807"],["b"]]`:                      math.MaxInt64,
		`[["a","","",1,"1e30"],["b","","",1,"1e30"],["c","","",1,"1e30"]]`: math.MaxInt64,
		`[["a","","",1,"-9223372036854775808"],["b","","",1,"-1"]]`:        math.MinInt64,
		`[["a","","",1,"9223372036854775807"],["b","","",1,-5],["c"]]`:     math.MaxInt64 - 4,
		`[["a","","",1,2],["b","","",1,-5],["c"]]`:                         -2,
	} {
		if e, err := readItems(t, in); err != nil || e.quantity != want {
			t.Errorf("%s: %d, %v; want %d", in, e.quantity, err, want)
		}
	}
}

func TestItemsOfACartFollowTheRequest(t *testing.T) {
	order := &store.Conversion{SiteID: 1, ServerTime: 50, OrderID: store.Text("O")}
	item := func(sku store.ActionID, orderID, price string, at int64, deleted bool) store.Item {
		return store.Item{SiteID: 1, ServerTime: at, OrderID: orderID, SKU: sku, Price: price, Quantity: 1, Deleted: deleted}
	}
	fresh := store.ActionOf(&store.ActionEntry{Name: "new"}) // no number yet
	stored := []store.Item{
		item(id(1), "0", "1.999", 10, false),
		item(id(2), "0", "2", 10, true),
		item(id(0), "0", "3", 10, false),
	}
	rows := []store.Item{
		item(id(2), "O", "20", 50, false), item(fresh, "O", "30", 50, false), item(fresh, "O", "31", 50, false),
		item(id(2), "O", "21", 50, false),
	}
	updates, inserts := SyncItems(order, stored, rows, false)
	wantUpdates := []store.ItemUpdate{
		{OrderID: "0", Row: item(id(1), "O", "2", 50, true)},
		{OrderID: "0", Row: item(id(2), "O", "21", 50, false)},
		{OrderID: "0", Row: item(id(0), "O", "3", 50, true)},
	}
	if diff := cmp.Diff(wantUpdates, updates); diff != "" {
		t.Error("updates:", diff)
	}
	if diff := cmp.Diff([]store.Item{item(fresh, "O", "30", 50, false)}, inserts); diff != "" {
		t.Error("inserts:", diff)
	}
	cart := &store.Conversion{SiteID: 1, ServerTime: 60}
	updates, inserts = SyncItems(cart, nil, rows[:1], false)
	if updates != nil || len(inserts) != 1 {
		t.Error(updates, inserts)
	}
}
