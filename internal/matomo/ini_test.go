package matomo

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// plain turns a decoded value into Go values for comparing.
func plain(v php.Value) any {
	switch v.Kind() {
	case php.KindArray:
		m := map[string]any{}
		for key, item := range v.Array().All() {
			m[key] = plain(item)
		}
		return m
	case php.KindBool:
		return v.Bool()
	case php.KindFloat:
		return php.ToString(v)
	case php.KindInt:
		return int(v.Int())
	case php.KindString:
		return v.Str()
	default:
		return nil
	}
}

func testEnv(name string) (string, bool) {
	value, ok := map[string]string{"DB_PASS": "s3cr&amp;t", "PORT": "3307"}[name]
	return value, ok
}

func TestINIValues(t *testing.T) {
	tests := []struct {
		line string
		want any
	}{
		// types
		{`k = 5`, 5},
		{`k = "5"`, 5},
		{`k = -1`, -1},
		{`k = 05`, "05"},
		{`k = 1.5`, "1.5"},
		{`k = +5`, "+5"},
		{`k = 9223372036854775808`, "9223372036854775808"},
		{`k = true`, true},
		{`k = yes  `, true},
		{`k = Yes`, 1},
		{`k = yesterday`, "yesterday"},
		{`k = on ; comment`, true},
		{`k = off`, false},
		{`k = no`, false},
		{`k = FALSE`, ""},
		{`k = NULL`, ""},
		{`k = none`, ""},
		{`k = null`, nil},
		{`k = "true"`, "true"},
		{`k = 'null'`, "null"},
		{`k =`, ""},
		{`k = `, ""},
		{`k = ""`, ""},
		{`k = ''`, ""},
		// quoting
		{`k = plain text  ; comment`, "plain text"},
		{`k=x`, "x"},
		{`k = "a;b"; comment`, "a;b"},
		{`k = 'a;b' ; comment`, "a;b"},
		{`k = " a "`, " a "},
		{`k = ' a ' `, " a "},
		{`k = "a\"b"`, `a"b`},
		{`k = "a\\b"`, `a\b`},
		{`k = "a\'b"`, `a\'b`},
		{`k = "a\$b"`, "a$b"},
		{`k = "a\nb"`, `a\nb`},
		{`k = "C:\data\"`, `C:\data\`},
		{`k = 'a\b'`, `a\b`},
		{`k = PDO\MYSQL`, `PDO\MYSQL`},
		{"k = \"a\nb\"", "a\nb"},
		{`k = it's`, "it"}, // and the rest of the file is lost, as in PHP
		{"k = 'a\nb'", "a\nb"},
		{`k = a''b`, "a"},
		{`k = '' b`, ""},
		{`k = 'a'b`, "ab"},
		{`k = a'b'c`, "abc"},
		{`k = "a" b "c"`, "abc"},
		{`k = a "b" c`, "abc"},
		{`k = 'a' b`, "a b"},
		{`k = a 'b'`, "a b"},

		{`k = "pa$word"`, "pa$word"},
		{`k = pa$$word`, "pa$$word"},
		{`k = a$;b ; c`, "a$;b"},
		{`k = $\{x}`, `$\{x}`},
		// operators
		{`k = 1|2`, 3},
		{`k = 1 | 6 & 3 ; left to right`, 3},
		{`k = (1|4)&5`, 5},
		{`k = 6^3`, 5},
		{`k = ~5`, -6},
		{`k = !0|2`, 3},
		{`k = !7`, 0},
		{`k = a|7x`, 7},
		{`k = (a)`, "a"},
		// variables
		{`k = "${PORT}"`, 3307},
		{`k = ${PORT}`, 3307},
		{`k = x${ PORT }y`, "x3307y"},
		{`k = "${DB_PASS}"`, "s3cr&t"},
		{`k = "${NOT_SET}"`, ""},
		{`k = "${NOT_SET:-other}"`, "other"},
		// entities, decoded twice
		{`k = "a&quot;b&amp;c&#36;d&lt;"`, `a"b&c$d<`},
		{`k = "p&auml;ss&euro;"`, "päss€"},
		{`k = "&amp;amp;lt;"`, "&lt;"},
		{`k = "&#039;&apos;&#x27;"`, "&#039;&apos;&#x27;"},
		{"k = \"&quot;\xff\"", "&quot;\xff"},
	}
	for _, tt := range tests {
		got, err := parseINI("[s]\n"+tt.line+"\n", testEnv)
		if err != nil {
			t.Errorf("%s: %v", tt.line, err)
			continue
		}
		if diff := cmp.Diff(tt.want, plain(got.Value("s").Array().Value("k"))); diff != "" {
			t.Errorf("%s: %s", tt.line, diff)
		}
	}
}

func TestINIStructure(t *testing.T) {
	text := "\ufeff; <?php exit; ?> DO NOT REMOVE THIS LINE\r\n" +
		"top = 1\r\n\r\n" +
		"[first] ; comment\r\n" +
		"  spaced key  = v\r\n" +
		"alone\n" +
		"alone too ; comment\n" +
		"#hash = kept\n" +
		"list[] = a\rlist[] = \"b\"\n" +
		"map[x] = 1\nmap['y'] = 2\nmap[\"z z\"] = 3\nmap[ a ] = 4\n" +
		"scalar = 1\nscalar[] = 2\n" +
		"twice = 1\ntwice = 2\n" +
		"[second]\nlost = 1\n" +
		"['third']\n[second]\nkept = 1"
	got, err := parseINI(text, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"top": 1,
		"first": map[string]any{
			"spaced key": "v", "#hash": "kept",
			"list":   map[string]any{"0": "a", "1": "b"},
			"map":    map[string]any{"x": 1, "y": 2, "z z": 3, "a ": 4},
			"scalar": map[string]any{"0": 2},
			"twice":  2,
		},
		"second": map[string]any{"kept": 1},
		"third":  map[string]any{},
	}
	if diff := cmp.Diff(want, plain(php.ArrayValue(got))); diff != "" {
		t.Error(diff)
	}
}

func TestINIErrorsNameTheLine(t *testing.T) {
	tests := []struct{ text, want string }{
		{"\n[open\n", "line 2: section without closing bracket"},
		{"[open", "line 1: section without closing bracket"},
		{"a = 1\n\nk = a=b\n", `line 3: unexpected "=" in the value of k: the value needs quotes`},
		{"k = \"a\nb", "line 1: quote without end"},
		{"k = \"a\nb\"\nyes = 1", `line 3: "yes" is not allowed as a key`},
		{"k[ = 1\n", "line 1: key without closing bracket"},
		{"k[] ; no value\n", "line 1: k[…] without a value"},
		{"k = 1 |\n", "line 1: the value of k needs quotes"},
		{"k = (1\n", "line 1: the value of k needs quotes"},
		{"k = a(b)\n", "line 1: the value of k needs quotes"},
		{"k = yes sir\n", "line 1: the value of k needs quotes"},
		{"k = 1|yes\n", "line 1: the value of k needs quotes"},
		{"k = 'a\n", "line 1: quote without end"},
		{"k = \"a\x00b\"\n", "line 1: NUL byte in quotes"},
		{"[\"a]", "line 1: quote without end"},
		{"[a;b]", "line 1: section without closing bracket"},
		{"k['a] = 1", "line 1: key with a quote without end"},
		{"{k} = 1\n", `line 1: unexpected "{"`},
		{"k = ${X\n", "line 1: ${ without }"},
		{"k = \"${X\n", "line 1: ${ without }"},
		{"k = a\x00b\n", `line 1: unexpected "\x00" in the value of k: the value needs quotes`},
	}
	for _, tt := range tests {
		_, err := parseINI(tt.text, testEnv)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q: got %v, want %s", tt.text, err, tt.want)
		}
	}
}

func FuzzINI(f *testing.F) {
	f.Add("[a]\nb[c] = \"d\\\"\" 'e' ${F:-g} ; h\n")
	f.Add("'")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = parseINI(text, testEnv)
		_, _ = parseINI("[s]\nk = "+strings.TrimSpace(text), testEnv)
	})
}
