package conversion

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// readItems reads a cart with these items, given as the text of ec_items.
func readItems(t testing.TB, items string) (*Ecommerce, error) {
	t.Helper()
	text, err := php.EncodeJSON(php.String(items))
	if err != nil {
		t.Fatal(err)
	}
	return ReadEcommerce(newRequest(t, `{"idgoal":"0","ec_items":`+text+`}`))
}

// itemTexts writes the items as "sku|name|categories|price|quantity".
func itemTexts(e *Ecommerce) []string {
	var list []string
	for n, it := range e.items {
		names := make([]string, lookupsPerItem)
		for i := range names {
			names[i] = e.Lookups[n*lookupsPerItem+i].Name
		}
		categories := strings.TrimRight(strings.Join(names[2:], ","), ",")
		list = append(list, fmt.Sprintf("%s|%s|%s|%s|%d", names[0], names[1], categories, it.price, it.quantity))
	}
	return list
}

func TestItems(t *testing.T) {
	tests := []struct {
		in   string
		want []string
	}{
		{`[["S1","N1","Single",1,1]]`, []string{"S1|N1|Single|1|1"}},
		{`[["  pad ", " n ", " c ", "1", "2"]]`, []string{"pad|n|c|1|2"}},
		{`[["<b>&\"", "<i>"]]`, []string{`<b>&"|<i>||0|1`}},
		{`[[456,7,8]]`, []string{"456|7|8|0|1"}},
		{`[["a",["x","y"]],[["p","q"]]]`, []string{"a|x,y||0|1", "p,q|||0|1"}},
		{`{"x":{"0":"A","3":5},"y":{"sku":"B"}}`, []string{"A|||5|1"}},
		// skus that are empty
		{`[[null],[""],["0"],[" "],[],["ok"]]`, []string{"|||0|1", "ok|||0|1"}},
		// categories
		{`[["S","",["A",""," ","0","B"]]]`, []string{"S||A,B|0|1"}},
		{`[["S",null,["1","2","3","4","5","6",7]]]`, []string{"S||1,2,3,4,5|0|1"}},
		{`[["S","N",["D",5,true,null,false]]]`, []string{"S|N|D,5,1|0|1"}},
		{`[["S","N","[\"J\"]"]]`, []string{`S|N|["J"]|0|1`}},
		{`[["S","N",["1","2","3","4","5","6",["x"]]]]`, []string{"S|N|1,2,3,4,5|0|1"}},
		// prices
		{
			`[["p","","","10.555"],["p","","","1e2"],["p","","","1,5"],["p","","",-2.345],["p","","",19.999999]]`,
			[]string{"p|||10.56|1", "p|||1e2|1", "p|||0|1", "p|||-2.35|1", "p|||20|1"},
		},
		{`[["p","","",["1"]],["p","","",null],["p","","",""]]`, []string{"p|||0|1", "p|||0|1", "p|||0|1"}},
		// quantities
		{
			`[["q","","",1,2.7],["q","","",1,0],["q","","",1,"abc"],["q","","",1," 4 "],["q","","",1,-2],["q","","",1,["3"]]]`,
			[]string{"q|||1|2", "q|||1|1", "q|||1|1", "q|||1|4", "q|||1|-2", "q|||1|1"},
		},
		// items that are no arrays are taken apart by bytes
		{`["abc","xyz95","0ab",5,true,null,""]`, []string{"a|b|c|0|1", "x|y|z|9|5", "5|||0|1", "1|||0|1"}},
		// no items
		{`[["x","y"`, nil},
		{`null`, nil},
		{`0`, nil},
		{`""`, nil},
		{`[]`, nil},
		{``, nil},
	}
	for _, tt := range tests {
		e, err := readItems(t, tt.in)
		if err != nil || e.Unreadable {
			t.Errorf("%s: %+v, %v", tt.in, e, err)
			continue
		}
		if diff := cmp.Diff(tt.want, itemTexts(e)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.in, diff)
		}
	}
}

func TestItemsHaveSevenLookupsEach(t *testing.T) {
	e, err := readItems(t, `[["s","n",["c","d"]]]`)
	if err != nil {
		t.Fatal(err)
	}
	want := []action.Lookup{
		{Field: action.FieldProductSKU, Type: action.TypeProductSKU, Name: "s"},
		{Field: action.FieldProductName, Type: action.TypeProductName, Name: "n"},
		{Field: action.FieldProductCategory1, Type: action.TypeProductCategory, Name: "c"},
		{Field: action.FieldProductCategory2, Type: action.TypeProductCategory, Name: "d"},
		{Field: action.FieldProductCategory3, Type: action.TypeProductCategory},
		{Field: action.FieldProductCategory4, Type: action.TypeProductCategory},
		{Field: action.FieldProductCategory5, Type: action.TypeProductCategory},
	}
	if diff := cmp.Diff(want, e.Lookups); diff != "" {
		t.Error(diff)
	}
}

func TestScalarItemsAreUnreadable(t *testing.T) {
	for _, in := range []string{"5", `"text"`, "true", "1.5"} {
		if e, err := readItems(t, in); err != nil || !e.Unreadable {
			t.Errorf("%s: %+v, %v", in, e, err)
		}
	}
}

func TestWrongTypesAreRefused(t *testing.T) {
	for _, params := range []string{
		`{"idgoal":"0","ec_items":[["S","N",["D",["E"]]]]}`,
		`{"idgoal":"0","revenue":["1"]}`,
		`{"idgoal":"0","ec_id":"1","ec_st":["1"]}`,
	} {
		if _, err := ReadEcommerce(newRequest(t, params)); !rejected(err, request.WrongType) {
			t.Errorf("%s: %v", params, err)
		}
	}
}

// The processor of pings takes the order back before Matomo reads more of it than its id.
func TestPingIsNotRefusedForItsAmounts(t *testing.T) {
	e, err := ReadEcommerce(newRequest(t,
		`{"idgoal":"0","ping":"1","ec_id":"A","revenue":["1"],"ec_items":[["S","N",["D",["E"]]]]}`))
	if err != nil || !e.IsOrder || e.Buyer(0) != 1 || len(e.Lookups) != 0 {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestOnlyGoalZeroIsEcommerce(t *testing.T) {
	tests := []struct {
		params    string
		ecommerce bool
		order     string // "" for a cart
	}{
		{`{"idgoal":"0"}`, true, ""},
		{`{"idgoal":0,"ec_id":"A&1"}`, true, "A&amp;1"},
		{`{"idgoal":"00","ec_id":"0"}`, true, ""},
		{`{"ec_id":"1"}`, false, ""},
		{`{"idgoal":"1","ec_id":"1"}`, false, ""},
		{`{"idgoal":"x"}`, false, ""},
	}
	for _, tt := range tests {
		e, err := ReadEcommerce(newRequest(t, tt.params))
		if err != nil || (e != nil) != tt.ecommerce {
			t.Errorf("%s: %+v, %v", tt.params, e, err)
		} else if e != nil && (e.OrderID != tt.order || e.IsOrder != (tt.order != "")) {
			t.Errorf("%s: %+v", tt.params, e)
		}
	}
	off := newRequest(t, `{"idgoal":"0"}`)
	off.Context().Features.Ecommerce = false
	if e, err := ReadEcommerce(off); e != nil || err != nil {
		t.Error(e, err)
	}
}

func TestBuyerStates(t *testing.T) {
	cart, order := &Ecommerce{}, &Ecommerce{IsOrder: true}
	for before, want := range map[int64][2]int64{0: {2, 1}, 1: {3, 1}, 2: {2, 1}, 3: {3, 1}} {
		if got := [2]int64{cart.Buyer(before), order.Buyer(before)}; got != want {
			t.Errorf("from %d: %v, want %v", before, got, want)
		}
	}
	for buyer, want := range map[store.NullInt]bool{{}: false, store.Int(0): false, store.Int(1): false, store.Int(2): true, store.Int(3): true} {
		if HasOpenCart(buyer) != want {
			t.Error(buyer)
		}
	}
}

func TestAmounts(t *testing.T) {
	read := func(name, value string, preset string) string {
		r := newRequest(t, `{"rec":"1"}`)
		if value != "-" {
			r = newRequest(t, `{"`+name+`":"`+value+`"}`)
		}
		var amount store.NullText
		var err error
		if name == "revenue" {
			amount, err = readRevenue(r, preset)
		} else {
			amount, err = readTotal(r, name)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !amount.Valid {
			return "NULL"
		}
		return amount.V
	}
	tests := []struct{ name, value, preset, want string }{
		{"revenue", "-", "0", "0"},
		{"revenue", "-", "7.77", "7.77"},
		{"revenue", "-", "2.5555", "2.56"},
		{"revenue", "", "10", "10"},
		{"revenue", "abc", "10", "10"},
		{"revenue", "abc", "2.555", "2.56"},
		{"revenue", "0", "10", "0"},
		{"revenue", "0,5", "10", "0"},
		{"revenue", "1,5", "10", "1"},
		{"revenue", "1.005", "0", "1.01"},
		{"revenue", "2.675", "0", "2.68"},
		{"revenue", "-7.125", "0", "-7.13"},
		{"revenue", "1e3", "0", "1000"},
		{"revenue", "1e15", "0", "1.0E+15"},
		{"ec_tx", "-", "", "NULL"},
		{"ec_tx", "", "", "NULL"},
		{"ec_tx", "abc", "", "0"},
		{"ec_tx", "9.5749", "", "9.57"},
	}
	for _, tt := range tests {
		if got := read(tt.name, tt.value, tt.preset); got != tt.want {
			t.Errorf("%s=%s, default %s: %s, want %s", tt.name, tt.value, tt.preset, got, tt.want)
		}
	}
}

func TestConversionThatExistsRefusesRequestsWithAnOrderID(t *testing.T) {
	if err := NotInserted(newRequest(t, `{"idgoal":"0","ec_id":"7"}`)); !rejected(err, request.InvalidParameter) {
		t.Error(err)
	}
	if err := NotInserted(newRequest(t, `{"idgoal":"1","ec_id":"0"}`)); err != nil {
		t.Error(err)
	}
}
