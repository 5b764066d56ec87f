package conversion

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

var (
	unlimited = matomo.BehavioursIn("5.12.0")
	limited   = matomo.BehavioursIn("5.13.0")
)

// show is an amount as it is stored.
func show(amount store.NullText) string {
	if !amount.Valid {
		return "NULL"
	}
	return amount.V
}

// TestRevenueLimitOfVersions shows what becomes of revenues with and without the limit of 1e12.
func TestRevenueLimitOfVersions(t *testing.T) {
	for _, tt := range []struct {
		params, preset string
		old, new       string
	}{
		{`{"revenue":"1000000000000"}`, "1", "1000000000000", "1000000000000"},
		{`{"revenue":"-1000000000000"}`, "1", "-1000000000000", "-1000000000000"},
		{`{"revenue":"1000000000000.004"}`, "1", "1000000000000", "NULL"}, // as it is before rounding
		{`{"revenue":"999999999999.995"}`, "1", "1000000000000", "1000000000000"},
		{`{"revenue":"-1000000000001"}`, "1", "-1000000000001", "NULL"},
		{`{"revenue":"1e400"}`, "1", "INF", "NULL"},
		{`{}`, "1000000000000", "1000000000000", "1000000000000"},
		{`{}`, "1000000000001", "1000000000001", "NULL"}, // the goal's own
		{`{"revenue":"abc"}`, "1000000000001", "1000000000001", "NULL"},
		{`{"revenue":"5"}`, "1000000000001", "5", "5"},
	} {
		for _, side := range []struct {
			behaviours matomo.Behaviours
			want       string
		}{{unlimited, tt.old}, {limited, tt.new}} {
			got, err := readRevenue(newRequestOf(t, side.behaviours, tt.params), tt.preset)
			if err != nil || show(got) != side.want {
				t.Errorf("%s, goal's %s, limit %v: %s, %v; want %s", tt.params, tt.preset, side.behaviours.AmountLimit, show(got),
					err, side.want)
			}
		}
	}
}

// TestLimitOfOrdersAndItemsOfVersions: totals that are too large are not set, prices of items become 0.
func TestLimitOfOrdersAndItemsOfVersions(t *testing.T) {
	const order = `{"idgoal":"0","ec_id":"A","revenue":"2e12","ec_st":"-2e12","ec_tx":"1e12","ec_sh":"1000000000000.01","ec_dt":"abc",
		"ec_items":[["a","","","1000000000000.001"],["b","","","-1000000000000"],["c","","","1e400"]]}`
	type amounts struct{ revenue, subtotal, tax, shipping, discount, first, second, third string }
	for _, side := range []struct {
		behaviours matomo.Behaviours
		want       amounts
	}{
		{unlimited, amounts{
			"2000000000000", "-2000000000000", "1000000000000", "1000000000000", "0", "1000000000000",
			"-1000000000000", "1e400",
		}},
		{limited, amounts{"NULL", "NULL", "1000000000000", "NULL", "0", "0", "-1000000000000", "0"}},
	} {
		e, err := ReadEcommerce(newRequestOf(t, side.behaviours, order))
		if err != nil {
			t.Fatal(err)
		}
		got := amounts{
			show(e.revenue), show(e.subtotal), show(e.tax), show(e.shipping), show(e.discount), e.items[0].price,
			e.items[1].price, e.items[2].price,
		}
		if got != side.want {
			t.Errorf("limit %v:\n got %+v\nwant %+v", side.behaviours.AmountLimit, got, side.want)
		}
	}
}

// TestLimitOfStoredPricesOfVersions: an item that leaves the cart is marked as deleted with the price that is read
// back.
func TestLimitOfStoredPricesOfVersions(t *testing.T) {
	stored := []store.Item{{SKU: id(1), Price: "2000000000000"}, {SKU: id(2), Price: "1.999"}}
	for limited, want := range map[bool]string{false: "2000000000000", true: "0"} {
		updates, _ := SyncItems(&store.Conversion{}, stored, nil, limited)
		if got := updates[0].Row.Price; got != want {
			t.Errorf("limit %v: %s, want %s", limited, got, want)
		}
		if got := updates[1].Row.Price; got != "2" {
			t.Errorf("limit %v: %s, want 2", limited, got)
		}
	}
}

func TestEventValuesHaveNoLimit(t *testing.T) {
	src := source(t, `{"e_v":"2e12","revenue":"3e12"}`)
	src.Request = newRequestOf(t, limited, `{"e_v":"2e12","revenue":"3e12"}`)
	goal := &matomo.Goal{ID: 1, MatchAttribute: "event_action", EventValueAsRevenue: true}
	got, err := NewGoalConversion(src, Converted{Goal: goal})
	if err != nil || got.Revenue != store.Text("2000000000000") {
		t.Errorf("%+v, %v", got.Revenue, err)
	}
}
