package php

import (
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecodeJSONKeepsOrderAndTypes(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{
			` {"b":1,"a":[true,false,null,1.0,"x"],"b":2} `,
			`a:2:{s:1:"b";i:2;s:1:"a";a:5:{i:0;b:1;i:1;b:0;i:2;N;i:3;d:1;i:4;s:1:"x";}}`,
		},
		{
			`[12345678901234567890,-9223372036854775808,-0,1e2]`,
			`a:4:{i:0;d:1.2345678901234567E+19;i:1;i:-9223372036854775808;i:2;i:0;i:3;d:100;}`,
		},
		{`"\u00e9\ud83d\ude00\"\\\/\b\f\n\r\té"`, "s:" + "16" + ":\"é😀\"\\/\b\f\n\r\té\";"},
		{`{}`, `a:0:{}`},
		{`"\u0000a"`, "s:2:\"\x00a\";"},
	} {
		v, err := DecodeJSON(tt.in)
		if got := Serialize(v); err != nil || got != tt.want {
			t.Errorf("%s gives %s (%v), want %s", tt.in, got, err, tt.want)
		}
	}
}

func TestDecodeJSONRefusesWhatPHPRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"": errJSONSyntax, "[1,]": errJSONSyntax, `{"a":1,}`: errJSONSyntax, "[1 2]": errJSONSyntax, "TRUE": errJSONSyntax,
		"tru": errJSONSyntax, "01": errJSONSyntax, "1.": errJSONSyntax,
		"-": errJSONSyntax, ".5": errJSONSyntax, `{a:1}`: errJSONSyntax, `{"a"}`: errJSONSyntax, `{"a":}`: errJSONSyntax,
		`{"a`: errJSONControl, `"\x"`: errJSONSyntax, `"\u12"`: errJSONSyntax,
		`"\u12x4"`: errJSONSyntax, `"\`: errJSONSyntax, `"\ud800"`: errJSONUTF16, `"\udc00"`: errJSONUTF16,
		`"\ud800\u0041"`: errJSONUTF16, "\"\xe4\"": errJSONUTF8, "\"\\n\xe4\"": errJSONUTF8,
		"\"\n\"": errJSONControl, "\"\\n\n\"": errJSONControl, `"\n`: errJSONControl, "1 x": errJSONSyntax,
		strings.Repeat("[", 513) + strings.Repeat("]", 513): errJSONDepth, "x": errJSONSyntax,
	} {
		if _, err := DecodeJSON(in); !errors.Is(err, want) {
			t.Errorf("%.20q gives %v, want %v", in, err, want)
		}
	}
	if _, err := DecodeJSON(strings.Repeat("[", 512) + strings.Repeat("]", 512)); err != nil {
		t.Errorf("512 levels: %v", err)
	}
}

func TestDecodeJSONMergesDuplicatesInLongObjects(t *testing.T) {
	v, err := DecodeJSON(`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"a":2,"n":3,"z":4}`)
	a := v.Array()
	if err != nil || a.Len() != 15 || a.Value("a").Int() != 2 || a.Value("n").Int() != 3 || a.Value("z").Int() != 4 {
		t.Errorf("%s, %v", Serialize(v), err)
	}
	if key, _ := a.At(0); key != "a" {
		t.Errorf("the first key is %q", key)
	}
}

func TestEncodeJSON(t *testing.T) {
	for _, tt := range []struct {
		v    Value
		want string
	}{
		{String("a/\"\\é😀\b\f\n\r\t\x01\x7f<>&'"), `"a\/\"\\\u00e9\ud83d\ude00\b\f\n\r\t\u0001` + "\x7f" + `<>&'"`},
		{ArrayValue(nil), "[]"},
		{
			ArrayValue(List(Null, Bool(true), Int(-1), Float(0.1), Float(10), Float(1e25), Float(1e-7))),
			"[null,true,-1,0.1,10,1.0e+25,1.0e-7]",
		},
	} {
		if got, err := EncodeJSON(tt.v); err != nil || got != tt.want {
			t.Errorf("got %s (%v), want %s", got, err, tt.want)
		}
	}
	deep := Null
	for range 513 {
		deep = ArrayValue(List(deep))
	}
	key := &Array{}
	key.Set("\xff", Null)
	for _, v := range []Value{String("\xe4"), Float(math.Inf(1)), Float(math.NaN()), deep, ArrayValue(key), ArrayValue(List(String("\xe4")))} {
		if got, err := EncodeJSON(v); err == nil {
			t.Errorf("%.20s encoded", got)
		}
	}
}

func TestEncodeJSONEscapesEachByteAnywhere(t *testing.T) {
	for c := range byte(utf8.RuneSelf) {
		want := string(c)
		switch {
		case strings.IndexByte(`"\/`, c) >= 0:
			want = `\` + string(c)
		case c < ' ':
			want = string(appendJSONEscape(nil, c))
		}
		for before := range 20 {
			x, y := strings.Repeat("x", before), strings.Repeat("y", 19-before)
			if got, err := EncodeJSON(String(x + string(c) + y)); err != nil || got != `"`+x+want+y+`"` {
				t.Fatalf("%q at %d gives %s (%v)", c, before, got, err)
			}
		}
	}
}

func TestSerializedValues(t *testing.T) {
	for _, s := range []string{"N;", "b:1;", "i:-5;", "d:0.1;", "d:INF;", "d:-INF;", "d:NAN;", "d:1.0E+25;", "s:3:\"a\"b\";", `a:2:{i:0;s:1:"x";s:1:"k";a:0:{}}`, `a:2:{i:-5;N;s:2:"05";N;}`} {
		v, err := Unserialize(s)
		if got := Serialize(v); err != nil || got != s {
			t.Errorf("%s becomes %s, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", "i:5", "i:x;", "b:2;", "d:;", "d:1x;", `s:5:"abc";`, `s:3:"abc"`, `s:x:"abc";`, "s:3", "a:1:{}", `a:1:{i:0;N;`,
		"a:x:{}", "a:1", `O:1:"A":0:{}`, "R:1;", `a:1:{N;N;}`, `a:9:{i:0;N;}`,
		"x", `a:1:{i:0;x}`, strings.Repeat("a:1:{i:0;", 600) + "N;" + strings.Repeat("}", 600),
	} {
		if v, err := Unserialize(s); err == nil {
			t.Errorf("%.30s becomes %.30s", s, Serialize(v))
		}
	}
}

func TestBase64Decode(t *testing.T) {
	for in, want := range map[string]string{"Kg==": "*", "Kg": "*", "Zm9v\nYmFy": "foobar", "Z m-9v": "foo", "=": "", "A": "", "/+8=": "\xff\xef"} {
		if got := Base64Decode(in); got != want {
			t.Errorf("Base64Decode(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestVersionCompare(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"1.0", "1.0.0", -1},
		{"1.0", "1.0", 0},
		{"5.1.2", "5.1.10", -1},
		{"1.0-dev", "1.0-alpha", -1},
		{"1.0alpha", "1.0a", 0},
		{"1.0b1", "1.0rc1", -1},
		{"1.0RC1", "1.0", -1},
		{"1.0", "1.0pl1", -1},
		{"1.0x", "1.0dev", -1},
		{"", "", 0},
		{"", "1", -1},
		{"1", "", 1},
		{"5.0.0-b1", "5.0.0", -1},
		{"2", "1_9+9", 1},
		{"#1", "1", 0},
		{"1.0.", "1.0", -1},
	} {
		if got := VersionCompare(tt.a, tt.b); got != tt.want {
			t.Errorf("VersionCompare(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
