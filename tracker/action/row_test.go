package action

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

func id(n int64) store.ActionID { return store.ActionID{Valid: true, ID: n} }

func TestRowHoldsTheActionsColumns(t *testing.T) {
	tests := []struct {
		params string
		want   store.LinkAction
	}{
		{
			`{"url":"http://h/","action_name":"t","pv_id":"abcdefgh","pf_net":"0","pf_srv":"1","pf_tfr":"16777216","pf_dm1":"3","pf_dm2":"x","pf_onl":"16777215"}`,
			store.LinkAction{
				Name: id(1), URL: id(2), PageviewID: store.Text("abcdef"),
				Performance: store.Performance{
					Network: store.Int(0), Server: store.Int(1), DOMProcessing: store.Int(3),
					OnLoad: store.Int(1<<24 - 1),
				},
			},
		},
		{`{"url":"x"}`, store.LinkAction{Name: id(0), URL: id(0), PageviewID: store.Text("")}},
		{`{"link":"http://o/"}`, store.LinkAction{URL: id(1), PageviewID: store.Text("")}},
		{
			`{"search":"kw","search_cat":" c ","search_count":"3"}`,
			store.LinkAction{
				Name: id(1), PageviewID: store.Text(""), SearchCategory: store.Text("c"),
				SearchCount: store.Int(3),
			},
		},
		{
			`{"search":"kw","search_cat":"0","search_count":"-1"}`,
			store.LinkAction{Name: id(1), PageviewID: store.Text(""), SearchCategory: store.Text("")},
		},
		{
			`{"e_c":"c","e_a":"a","e_v":"1.50","url":"http://h/"}`,
			store.LinkAction{
				URL: id(1), EventAction: id(2), EventCategory: id(3), CustomFloat: store.Text("1.5"), PageviewID: store.Text(""),
			},
		},
		{
			`{"e_c":"c","e_a":"a","e_n":"n","e_v":"abc"}`,
			store.LinkAction{
				URL: id(0), EventAction: id(1), EventCategory: id(2), Name: id(3), CustomFloat: store.Text("0"),
				PageviewID: store.Text(""),
			},
		},
		{
			`{"c_n":"n","c_p":"p","c_t":"t","c_i":"i"}`,
			store.LinkAction{
				URL: id(0), ContentInteraction: id(2), ContentName: id(3), ContentPiece: id(4), ContentTarget: id(5),
				PageviewID: store.Text(""),
			},
		},
		{
			`{"download":"http://h/f","_pkc":"[\"a\",\"b\"]","_pkn":"","_pks":"s","_pkp":"1,5"}`,
			store.LinkAction{
				URL: id(1), ProductCategories: [5]store.ActionID{id(2), id(3)}, ProductName: id(0), ProductSKU: id(5),
				ProductPrice: store.Text("1"), PageviewID: store.Text(""),
			},
		},
		{
			`{"link":"http://h/","cvar":{"2":["_pkp","free"]}}`,
			store.LinkAction{URL: id(1), ProductPrice: store.Text("free"), PageviewID: store.Text("")},
		},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, newAction(t, tt.params).Row(numbered)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.params, diff)
		}
	}
}

func TestEntryAndExitIDs(t *testing.T) {
	none := IDResult{False: true}
	tests := []struct {
		params                string
		url, name             IDResult
		interaction, isAction bool
	}{
		{`{"url":"http://h/","action_name":"t"}`, IDResult{ID: id(2)}, IDResult{ID: id(1)}, true, true},
		{`{"url":"http://h/"}`, IDResult{ID: id(2)}, none, true, true},
		{`{"url":"x","action_name":"t"}`, IDResult{ID: id(0)}, IDResult{ID: id(1)}, true, true},
		{`{"search":"s"}`, IDResult{Null: true}, IDResult{ID: id(1)}, true, true},
		{`{"link":"http://h/"}`, none, none, false, true},
		{`{"e_c":"c","e_a":"a","e_n":"n"}`, none, none, false, true},
		{`{"c_n":"n"}`, none, none, false, false},
	}
	for _, tt := range tests {
		a := newAction(t, tt.params)
		if got := a.EntryURL(numbered); got != tt.url {
			t.Errorf("%s: url %+v", tt.params, got)
		}
		if got := a.EntryName(numbered); got != tt.name {
			t.Errorf("%s: name %+v", tt.params, got)
		}
		if a.CountsAsInteraction() != tt.interaction || a.CountsAsAction() != tt.isAction {
			t.Errorf("%s: interaction %v, action %v", tt.params, a.CountsAsInteraction(), a.CountsAsAction())
		}
	}
}

func TestTimingsForAnEarlierPageView(t *testing.T) {
	site := newSite(t)
	tests := []struct {
		params string
		id     string
		want   store.Performance
		ok     bool
	}{
		{
			`{"pv_id":"abcdefgh","pf_net":"0","pf_onl":"16777216"}`, "abcdefgh",
			store.Performance{Network: store.Int(0), OnLoad: store.Int(1 << 24)},
			true,
		},
		{`{"pv_id":"abc","pf_net":"-5"}`, "abc", store.Performance{}, false},
		{`{"pv_id":"0","pf_net":"5"}`, "", store.Performance{}, false},
		{`{"pf_net":"5"}`, "", store.Performance{}, false},
	}
	for _, tt := range tests {
		id, perf, ok := PerformanceUpdate(bind(site, allPlugins(), params(t, tt.params)))
		if ok != tt.ok || ok && id != tt.id || perf != tt.want {
			t.Errorf("%s: %q %+v %v", tt.params, id, perf, ok)
		}
	}
	features := allPlugins()
	features.PagePerformance = false
	if _, _, ok := PerformanceUpdate(bind(site, features, params(t, tests[0].params))); ok {
		t.Error("read although the plugin is not active")
	}
}

func TestLooselyEqualNamesShareAnID(t *testing.T) {
	sku := func(name string) Lookup { return NewLookup(FieldProductSKU, TypeProductSKU, name) }
	tests := []struct {
		about   string
		lookups []Lookup
		exists  string // per lookup
		want    []int
	}{
		// CRC32: 00123 is after 123, 1000 after 1e3
		{
			"both exist: the last in the index",
			[]Lookup{sku("123"), sku("00123"), sku("1e3"), sku("1000")},
			"yyyy",
			[]int{1, 1, 3, 3},
		},
		{"only the first exists", []Lookup{sku("123"), sku("00123")}, "yn", []int{0, 0}},
		{"only the second exists", []Lookup{sku("123"), sku("00123")}, "ny", []int{1, 1}},
		{"none exists", []Lookup{sku("123"), sku("00123")}, "nn", []int{0, 1}},
		{"other types", []Lookup{sku("123"), NewLookup(FieldProductName, TypeProductName, "00123")}, "yy", []int{0, 1}},
		{"no numbers", []Lookup{sku("x1"), sku("x01"), sku(""), sku("1x"), sku("-")}, "yyyyy", []int{0, 1, 2, 3, 4}},
		{"white space and points", []Lookup{sku("5."), sku("5 "), sku("5")}, "nny", []int{2, 2, 2}},
		{
			"url and category of an event",
			[]Lookup{{Type: TypeEvent, Name: "1000"}, {Type: TypeEvent, Name: "1e3"}},
			"yn",
			[]int{0, 0},
		},
	}
	for _, tt := range tests {
		got := ResolveLoosely(tt.lookups, func(i int) bool { return tt.exists[i] == 'y' })
		if got == nil {
			got = ownIDs(len(tt.lookups))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.about, diff)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	site := newSite(b)
	for name, text := range map[string]string{
		"pageview": `{"idsite":"1","rec":"1","url":"https://www.example.org/path/page?article=7&x=y","action_name":"A title - Site","urlref":"","_id":"0123456789abcdef","pv_id":"abc123","pf_net":"1","pf_srv":"20","res":"1x1"}`,
		"event":    `{"idsite":"1","rec":"1","url":"https://www.example.org/path/page","e_c":"Videos","e_a":"play","e_n":"name","e_v":"1.5"}`,
		"search":   `{"idsite":"1","rec":"1","url":"https://www.example.org/search?q=some+words&cat=x"}`,
	} {
		b.Run(name, func(b *testing.B) {
			p := params(b, text)
			var r *request.Request
			b.ReportAllocs()
			for b.Loop() {
				r = bind(site, allPlugins(), p)
				if _, err := New(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
