package exclude

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

func TestRulesOfConfiguration(t *testing.T) {
	rules := func(text string) []setting {
		return []setting{config(func(s *matomo.TrackerSettings) { s.ExcludeRequests = text })}
	}
	four := rules("action_name==drop%20me,url=@/PREVIEW/,e_c=^Debug,e_c=$-test")
	run(t, []exclusionTest{
		{`{"rec":"1","action_name":"Drop Me"}`, ConfigRule, four},
		{`{"rec":"1","action_name":"drop me too"}`, tracked, four},
		{`{"rec":"1","url":"http://a.example/preview/x"}`, ConfigRule, four},
		{`{"rec":"1","e_c":"debug-x"}`, ConfigRule, four},
		{`{"rec":"1","e_c":"Ends-Test"}`, ConfigRule, four},
		{`{"rec":"1","e_c":"other"}`, tracked, four},
		{`{"rec":"1"}`, tracked, four},
		{`{"rec":"1","uid":"a"}`, ConfigRule, rules("uid!=b")},
		{`{"rec":"1","uid":"B"}`, tracked, rules("uid!=b")},
		{`{"rec":"1","uid":"abc"}`, tracked, rules("uid!@B")},
		{`{"rec":"1","uid":"xyz"}`, ConfigRule, rules("uid!@B")},
		{`{"rec":"1","uid":"Ä"}`, ConfigRule, rules("uid==ä")},
		// The parameter is compared in its sanitised form.
		{`{"rec":"1","uid":"a&b"}`, tracked, rules("uid==a%26b")},
		{`{"rec":"1","uid":"a&b"}`, ConfigRule, rules("uid==a%26amp;b")},
		// Empty values.
		{`{"rec":"1"}`, ConfigRule, rules("uid==")},
		{`{"rec":"1"}`, ConfigRule, rules("uid=@")},
		{`{"rec":"1"}`, ConfigRule, rules("uid=^")},
		{`{"rec":"1"}`, ConfigRule, rules("uid=$")},
		{`{"rec":"1"}`, tracked, rules("uid!@")},
		{`{"rec":"1"}`, tracked, rules("0")},
		{`{"rec":"1"}`, tracked, rules("nothing to compare")},
	})
}

func TestParseRules(t *testing.T) {
	for text, want := range map[string][]rule{
		"":                   nil,
		"a==b":               {{"a", "==", "b"}},
		"a==B=@c, d!=%2B+":   {{"a", "==", "b=@c"}, {" d", "!=", "+ "}},
		"===x":               {{"=", "==", "x"}},
		"==x":                nil,
		"a===@x":             {{"a", "==", "=@x"}},
		"a!=@x":              {{"a", "!=", "@x"}},
		"a=b==c":             {{"a=b", "==", "c"}},
		"a=^x,broken,b=$\nz": {{"a", "=^", "x"}, {"b", "=$", ""}},
		"a\nb==c":            nil,
	} {
		if diff := cmp.Diff(want, parseRules(text), cmp.AllowUnexported(rule{})); diff != "" {
			t.Errorf("%q:\n%s", text, diff)
		}
	}
}
