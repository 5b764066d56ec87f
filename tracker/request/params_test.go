package request

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
)

func TestTextIsSanitizedOnce(t *testing.T) {
	for _, test := range []struct{ params, name, want string }{
		{`{"x":"a&b<c>\"d'e"}`, "x", "a&amp;b&lt;c&gt;&quot;d&#039;e"},
		{`{"x":"a&amp;b"}`, "x", "a&amp;b"},
		{`{"x":"&eacute;"}`, "x", "é"},
		{`{"x":"\u0000a"}`, "x", "a"},
		{`{"x":" 5 "}`, "x", " 5 "},
		{`{"x":12}`, "x", "12"},
		{`{"x":0.1}`, "x", "0.1"},
		{`{"x":true}`, "x", ""},
		{`{"x":["a"]}`, "x", ""},
		{`{"x":null}`, "x", ""},
		{`{}`, "x", ""},
		{`{"x":"0"}`, "x", "0"},
		{`{"0":"a"}`, "0", ""},
		// res has a default of its own.
		{`{}`, "res", "unknown"},
		{`{"res":""}`, "res", "unknown"},
		{`{"res":"1x1"}`, "res", "1x1"},
	} {
		r := read(t, test.params)
		for range 2 {
			if got := r.Text(test.name); got != test.want {
				t.Errorf("%s: %q, want %q", test.params, got, test.want)
			}
		}
	}
}

func TestPlainTextKeepsFourByteCharacters(t *testing.T) {
	r := read(t, `{"dimension1":"&#128512;<","action_name":"&#128512;<"}`, settings(noUTF8MB4))
	if got := r.PlainText("dimension1"); got != "😀&lt;" {
		t.Errorf("plain %q", got)
	}
	if got := r.Text("action_name"); got != "\uFFFD&lt;" {
		t.Errorf("text %q", got)
	}
}

func TestFourByteCharactersAreReplacedWithoutUTF8MB4(t *testing.T) {
	const params = `{"a":"x😀y𝄞","b":{"c😀":["😀"]},"d":"é","e":5,"ec_items":"[[\"\\ud83d\\ude00\"]]"}`
	r := read(t, params, settings(noUTF8MB4))
	if got := r.Text("a"); got != "x\uFFFDy\uFFFD" {
		t.Errorf("a = %q", got)
	}
	nested := r.Params().Value("b").Array().Value("c😀").Array()
	if got := nested.Value("0").Str(); got != "\uFFFD" {
		t.Errorf("nested %q", got)
	}
	if got := r.Text("d") + r.Text("e"); got != "é5" {
		t.Errorf("others %q", got)
	}
	items, _ := r.JSON("ec_items")
	if got := items.Array().Value("0").Array().Value("0").Str(); got != "\uFFFD" {
		t.Errorf("item %q", got)
	}
	if got := r.Raw().Value("a").Str(); got != "x😀y𝄞" {
		t.Errorf("queued parameter changed to %q", got)
	}
	if got := read(t, params).Text("a"); got != "x😀y𝄞" {
		t.Errorf("with utf8mb4: %q", got)
	}
}

func TestTextThatIsNotUTF8IsNotReplaced(t *testing.T) {
	const broken = "\xf0\x9f\x98\x80\xff"
	if got := storableText(broken); got != broken {
		t.Errorf("%q", got)
	}
}

func TestIntHasDeclaredDefault(t *testing.T) {
	for _, test := range []struct {
		params, name string
		want         int64
	}{
		{`{}`, "idgoal", -1},
		{`{"idgoal":""}`, "idgoal", -1},
		{`{"idgoal":"x"}`, "idgoal", -1},
		{`{"idgoal":"0"}`, "idgoal", 0},
		{`{}`, "search_count", -1},
		{`{}`, "pf_net", -1},
		{`{}`, "pf_onl", -1},
		{`{}`, "rec", 0},
		{`{"rec":"1.0"}`, "rec", 1},
		{`{"rec":" 1"}`, "rec", 1},
		{`{"rec":"abc"}`, "rec", 0},
		{`{"rec":true}`, "rec", 1},
		{`{"rec":1.5}`, "rec", 0},
		{`{"rec":"007"}`, "rec", 7},
		{`{"rec":"-3"}`, "rec", -3},
		{`{"rec":"9223372036854775807"}`, "rec", 9223372036854775807},
		{`{"rec":["1"]}`, "rec", 0},
	} {
		if got := read(t, test.params).Int(test.name); got != test.want {
			t.Errorf("%s: %s = %d, want %d", test.params, test.name, got, test.want)
		}
	}
}

func TestFloatTellsAbsentFromZero(t *testing.T) {
	for _, test := range []struct {
		params string
		want   float64
		ok     bool
	}{
		{`{}`, 0, false},
		{`{"f":""}`, 0, false},
		{`{"f":"abc"}`, 0, true},
		{`{"f":"1,5"}`, 1, true},
		{`{"f":"1.5 "}`, 0, true},
		{`{"f":"-2.5"}`, -2.5, true},
		{`{"f":2.5}`, 2.5, true},
	} {
		f, ok, err := read(t, test.params).Float("f")
		if f != test.want || ok != test.ok || err != nil {
			t.Errorf("%s: %v %v %v", test.params, f, ok, err)
		}
	}
	_, _, err := read(t, `{"f":["5"]}`).Float("f")
	wantRejection(t, err, WrongType)
}

// TestDecimalsOfVersions has a parameter that 5.0 and 5.1 read differently, and the goal's revenue in its place.
func TestDecimalsOfVersions(t *testing.T) {
	in := func(version string) option {
		return func(_ *Origin, c *Context) { c.Behaviours = matomo.BehavioursIn(version) }
	}
	for _, test := range []struct {
		params, version string
		want            float64
	}{
		{`{"revenue":"1,5"}`, "5.0.3", 7},
		{`{"revenue":"1,5"}`, "5.1.0", 1},
		{`{"revenue":" 5"}`, "5.0.3", 5},
		{`{"revenue":" 5"}`, "5.1.0", 7},
		{`{"revenue":["5"]}`, "5.0.3", 7}, // refused since
	} {
		if got, err := read(t, test.params, in(test.version)).FloatOr("revenue", 7); got != test.want || err != nil {
			t.Errorf("%s in %s: %v, %v, want %v", test.params, test.version, got, err, test.want)
		}
	}
}

func TestFloatOrTakesDefaultForWhatIsNoNumber(t *testing.T) {
	for params, want := range map[string]float64{
		`{"revenue":"1,5"}`: 1, `{"revenue":"-2.5"}`: -2.5, `{"revenue":"1e2"}`: 100, `{"revenue":".5"}`: 0.5, `{"revenue":"0"}`: 0,
		`{"revenue":"0,5"}`: 0, `{"revenue":0}`: 0, `{"revenue":"0\n"}`: 0, `{"revenue":"-0.0"}`: 0,
		`{"revenue":" 7"}`: 7.77, `{"revenue":"abc"}`: 7.77, `{"revenue":""}`: 7.77, `{"revenue":"1.5 "}`: 7.77, `{"revenue":" 0"}`: 7.77,
		`{}`: 7.77,
	} {
		got, err := read(t, params).FloatOr("revenue", 7.77)
		if got != want || err != nil {
			t.Errorf("%s: %v %v, want %v", params, got, err, want)
		}
	}
	_, err := read(t, `{"revenue":["5"]}`).FloatOr("revenue", 1)
	wantRejection(t, err, WrongType)
}

func TestJSONIsDecodedOrTakenAsItIs(t *testing.T) {
	for _, test := range []struct {
		params, want string
		present      bool
	}{
		{`{"x":"{\"1\":[\"a<\",2]}"}`, `{"1":["a&lt;",2]}`, true},
		{`{"x":{"1":["a<",2]}}`, `{"1":["a&lt;",2]}`, true},
		{`{"x":"no json"}`, `null`, true},
		{`{"x":""}`, `null`, false},
		{`{}`, `null`, false},
	} {
		v, present := read(t, test.params).JSON("x")
		if got, err := php.EncodeJSON(v); got != test.want || present != test.present || err != nil {
			t.Errorf("%s: %s %v %v", test.params, got, present, err)
		}
	}
}

func TestHasMeansSetAndNotNull(t *testing.T) {
	r := read(t, `{"empty":"","null":null,"zero":"0"}`)
	if !r.Has("empty") || !r.Has("zero") || r.Has("null") || r.Has("absent") {
		t.Error("wrong")
	}
}
