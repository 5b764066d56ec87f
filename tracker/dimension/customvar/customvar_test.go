package customvar

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// parse reads the parameter cvar with the given value, nil for a missing one.
func parse(value php.Value, active bool) []store.CustomVar {
	params := php.NewArray(1)
	params.Set("cvar", value)
	r := request.New(params, &request.Origin{})
	r.Bind(&request.Context{Settings: &matomo.TrackerSettings{CharsetUTF8MB4: true}, Features: matomo.Features{CustomVariables: active}})
	return Parse(r, "cvar", MinUsable)
}

// set writes the variables that are set as "N name=value".
func set(vars []store.CustomVar) string {
	var b strings.Builder
	for n, v := range vars {
		if v.Name.Valid != v.Value.Valid {
			b.WriteString("half ")
		}
		if v.Name.Valid {
			b.WriteString(string(rune('1'+n)) + " " + v.Name.V + "=" + v.Value.V + ";")
		}
	}
	return b.String()
}

func TestParse(t *testing.T) {
	long := strings.Repeat("ä", 201)
	tests := []struct{ in, want string }{
		{`{"1":["k","v"],"5":["x","y"]}`, "1 k=v;5 x=y;"},
		{`[["list0","a"],["list1","b"]]`, "1 list1=b;"},
		{`{"0":["a","b"],"6":["a","b"],"abc":["a","b"],"-1":["a","b"]}`, ""},
		{`{"1":["a","b","c"],"2":["a"],"3":{"0":"obj","1":"value"},"4":{"a":"k","b":"v"},"5":[1,2.5]}`, "3 obj=value;5 1=2.5;"},
		{`{"1":[null,"x"],"2":["x",null],"3":[true,"x"],"4":["ok",false],"5":["deep",["x"]]}`, "1 =x;2 x=;3 1=x;4 ok=;"},
		{`{"1":["",""]}`, "1 =;"},
		{`{"2":["a","b"],"02":["c","d"]}`, "2 c=d;"},
		{`{"1":[" <k> & ","\"v\" "]}`, `1 <k> &="v";`},
		{`{"1":["` + long + `","v"]}`, "1 " + long[:400] + "=v;"},
		{`{broken`, ""},
		{`"text"`, ""},
		{`5`, ""},
		{``, ""},
	}
	for _, tt := range tests {
		if got := set(parse(php.String(tt.in), true)); got != tt.want {
			t.Errorf("%s: %s", tt.in, got)
		}
	}
}

func TestStructuredParameter(t *testing.T) {
	pair := php.NewArray(2)
	pair.Append(php.String("a&b"))
	pair.Append(php.Int(5))
	list := php.NewArray(1)
	list.Set("2", php.ArrayValue(pair))
	if got := set(parse(php.ArrayValue(list), true)); got != "2 a&b=5;" {
		t.Error(got)
	}
}

func TestNothingIsReadWithoutPluginOrParameter(t *testing.T) {
	if got := parse(php.String(`{"1":["k","v"]}`), false); got != nil {
		t.Error(got)
	}
	if diff := cmp.Diff([]store.CustomVar(nil), parse(php.Null, true)); diff != "" {
		t.Error(diff)
	}
}
