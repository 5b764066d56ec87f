package verify

import (
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/rows"
)

func TestCellsThatMeanTheSame(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	const a, b, c = "00000000000000aa", "00000000000000bb", "00000000000000cc"
	for _, test := range []struct {
		name, table, column, want, got string
		alike                          bool
	}{
		{"random visitors", "log_visit", "idvisitor", a, b, true},
		{"one that was given", "log_visit", "idvisitor", a, "00000000000000e1", false},
		{"one that was there before", "log_visit", "idvisitor", "00000000000000e2", b, false},
		{"a fingerprint", "log_visit", "config_id", a, b, false},
		{"a fingerprint of a site that wants them random", "log_visit", "config_id2", a, b, false},
		{"an order", "log_conversion", "idorder", "17", "18", false},
		{"an order without its number", "log_conversion", "idorder", "0123456789abcdef0123456789abcdef", "f123456789abcdef0123456789abcdef", true},
		{"now", "brute_force_log", "attempted_at", "2026-11-20 12:00:01", "2026-11-20 12:00:02", true},
		{"another time", "brute_force_log", "attempted_at", "2026-11-20 12:00:01", "2026-11-20 11:00:02", false},
		{"the time of a visit", "log_visit", "visit_last_action_time", "2026-11-20 12:00:01", "2026-11-20 12:00:02", false},
		{"an option with the time", "option", "option_value", `{"t":1795176001}`, `{"t":1795176002}`, true},
		{"an option with another time", "option", "option_value", `{"t":1795176001}`, `{"t":1795170002}`, false},
	} {
		e := &equals{
			given: `{"_id":"00000000000000e1"}`, known: map[string]bool{"00000000000000e2": true},
			from: from, to: from.Add(5 * time.Second),
		}
		want, got := rows.Row{test.column: test.want}, rows.Row{test.column: test.got}
		if alike := e.alike(test.table, test.column, want, got); alike != test.alike {
			t.Errorf("%s: alike %v, want %v", test.name, alike, test.alike)
		}
	}

	e := &equals{randomPrint: func(site int64) bool { return site == 3 }}
	print := func(site, want, got string) bool {
		return e.alike("log_visit", "config_id", rows.Row{"idsite": site, "config_id": want}, rows.Row{"config_id": got})
	}
	for i, test := range []struct {
		site, want, got string
		alike           bool
	}{{"3", a, b, true}, {"3", a, b, true}, {"3", a, c, false}, {"3", c, b, false}, {"4", c, "x", false}} {
		if alike := print(test.site, test.want, test.got); alike != test.alike {
			t.Errorf("fingerprint %d: alike %v, want %v", i, alike, test.alike)
		}
	}
}

func TestDifferencesOnPurposeAreTold(t *testing.T) {
	t.Parallel()
	seen := func(column, want, got string) []difference {
		return []difference{{-1, rows.Difference{Table: "log_visit", Column: column, Want: want, Got: got}}}
	}
	for _, test := range []struct {
		name        string
		more        []string // parameters
		differences []difference
		want        string
	}{
		{"a language", nil, seen("location_browser_lang", `text "de"`, `text ""`), "language of the worker's environment"},
		{"a language that was sent", []string{"lang", "de"}, seen("location_browser_lang", `text "de"`, `text ""`), ""},
		{
			"a language and its fingerprint", nil,
			append(seen("config_id", "text a", "text b"), seen("location_browser_lang", `text "xx"`, `text ""`)...),
			"language of the worker's environment",
		},
		{"a fingerprint alone", nil, seen("config_id", "text a", "text b"), ""},
		{"a provider", nil, seen("location_provider", `text "x"`, `text "y"`), "names of addresses (plugin Provider)"},
		{"a long number", []string{"revenue", "123456789.123405"}, seen("revenue", "number 1.234567e+08", "number 1.234568e+08"), "numbers of 15 digits and more"},
		{"another number", []string{"revenue", "123456789.123405"}, seen("revenue", "number 1", "number 2"), ""},
		{"a short number", []string{"revenue", "12.5"}, seen("revenue", "number 12.5", "number 12.50001"), ""},
		{
			"a SKU",
			[]string{"ec_items", "[]"},
			seen("idaction_sku", "action(5,NULL,123)", "action(5,NULL,00123)"),
			"items whose SKUs are the same number",
		},
		{"another SKU", []string{"ec_items", "[]"}, seen("idaction_sku", "action(5,NULL,123)", "action(5,NULL,124)"), ""},
		{
			"two at once", nil,
			append(seen("location_provider", "a", "b"), seen("config_os", "a", "b")...), "",
		},
		{"a refusal", nil, []difference{{outcome: 0}}, ""},
	} {
		p := whole(entriesOf(t, page(1, "a", test.more...)))
		if got := deliberateName(p, 0, &comparison{differences: test.differences}); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPartsOfEntries(t *testing.T) {
	t.Parallel()
	first, second := page(1, "a"), page(2, "b")
	first.Requests = append(first.Requests, second.Requests[0], page(3, "c").Requests[0])
	p := whole(entriesOf(t, first, second)).without(1)
	sets, index := p.sets()
	if len(sets) != 2 || len(sets[0].Leave) != 1 || sets[0].Leave[0] != 1 || len(sets[1].Leave) != 0 || index[0][2] != 1 || index[1][0] != 2 {
		t.Errorf("sets %+v, index %v", sets, index)
	}
	entries, places := p.filtered()
	if len(entries) != 2 || len(entries[0].Set.Requests) != 2 || places[0][1] != 1 || places[1][0] != 2 ||
		php.ToString(entries[0].Set.Requests[1].Value("action_name")) != "Page c" {
		t.Errorf("entries %+v, places %v", entries, places)
	}
	if n := len(p.prefix(2).entries); n != 2 || p.prefix(2).len() != 2 {
		t.Errorf("prefix of %d", n)
	}
}
