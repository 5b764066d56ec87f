package php

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func addSeeds(f *testing.F, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
}

func FuzzSanitize(f *testing.F) {
	addSeeds(f, "a&b", "&amp;amp;", "&#x27;", "&eacute;<", "\xe4\x00", "1 ", "&#1114112;")
	f.Fuzz(func(t *testing.T, s string) {
		clean := SanitizeInput(s)
		if !utf8.ValidString(clean) || strings.ContainsAny(clean, "<>\"'\x00") {
			t.Fatalf("%q is not clean", clean)
		}
		if again := SanitizeInput(clean); again != clean && !strings.ContainsAny(clean, "\r\n") {
			t.Fatalf("%q changes to %q", clean, again)
		}
		if back := escapeHTML(Unsanitize(clean)); back != clean {
			t.Fatalf("%q decodes and encodes to %q", clean, back)
		}
		if Sanitize(s) != s && IsNumeric(s) {
			t.Fatalf("numeric %q changes", s)
		}
	})
}

func FuzzParseURL(f *testing.F) {
	addSeeds(f, "http://u:p@h:80/p?q#f", "//h", "a:80", ":80", "file:///c:/", "http://[::1]:1", "/p:80", "mailto:x@y")
	f.Fuzz(func(t *testing.T, s string) {
		u, ok := ParseURL(s)
		if !ok {
			return
		}
		if u.Port < 0 || u.Port > 65535 || u.HasHost && u.Host == "" || u.Port != 0 && !u.HasPort {
			t.Fatalf("%q: %+v", s, u)
		}
		if n := len(u.Scheme) + len(u.User) + len(u.Pass) + len(u.Host) + len(u.Path) + len(u.Query) +
			len(u.Fragment); n > len(s) {
			t.Fatalf("%q has more text in its components", s)
		}
	})
}

func FuzzQueryToMap(f *testing.F) {
	addSeeds(f, "a=1&b[]=2&b[]", "?x=<b>", "%5B%5d=1", "a%5B%5D=1&a=2", "&&=&0=1")
	f.Fuzz(func(t *testing.T, s string) {
		for key, v := range QueryToMap(s).All() {
			if EmptyString(key) {
				t.Fatalf("%q has the name %q", s, key)
			}
			if v.IsArray() && (v.Array().Len() == 0 || !v.Array().IsList()) {
				t.Fatalf("%q has a list %s", s, Serialize(v))
			}
		}
	})
}

func FuzzDecodeJSON(f *testing.F) {
	addSeeds(f, `{"a":[1,2.5,"x\u00e9",null,true]}`, `[]`, `"\ud83d\ude00"`, `{"a":1,"a":2}`, `-0`, `1e999`, "\"\xe4\"",
		`"\ud800"`,
		`{"\/a\n":"\u00e4\\b","":["\"c\"","d\te"],"\/a\n":{"f":"g\/"}}`)
	f.Fuzz(func(t *testing.T, s string) {
		v, err := DecodeJSON(s)
		if err != nil {
			return
		}
		var want any
		err = json.Unmarshal([]byte(s), &want) // fails for numbers that are infinite in PHP
		if !json.Valid([]byte(s)) || !utf8.ValidString(s) {
			t.Fatalf("%q is no JSON", s)
		}
		if diff := cmp.Diff(keyed(want), plainValue(v)); err == nil && diff != "" {
			t.Fatalf("%q, -want +got:\n%s", s, diff)
		}
		encoded, err := EncodeJSON(v)
		if err != nil {
			return // infinite
		}
		again, err := DecodeJSON(encoded)
		if err != nil || Serialize(again) != Serialize(v) && !strings.ContainsAny(s, ".eE0") {
			t.Fatalf("%q becomes %q: %v", s, encoded, err)
		}
	})
}

// plainValue is a value without order and integers, which encoding/json does not keep.
func plainValue(v Value) any {
	switch v.Kind() {
	case KindNull:
		return nil
	case KindBool:
		return v.Bool()
	case KindString:
		return v.Str()
	case KindArray:
		entries := make(map[string]any)
		for key, value := range v.Array().All() {
			entries[key] = plainValue(value)
		}
		return entries
	}
	return ToFloat(v)
}

// keyed turns the lists in what encoding/json gives into maps.
func keyed(v any) any {
	entries := make(map[string]any)
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			entries[key] = keyed(value)
		}
	case []any:
		for i, value := range v {
			entries[strconv.Itoa(i)] = keyed(value)
		}
	default:
		return v
	}
	return entries
}

func FuzzUnserialize(f *testing.F) {
	addSeeds(f, `a:1:{i:0;s:1:"x";}`, "i:5;", "d:0.5;", "b:1;", "N;")
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Unserialize(s)
		if err != nil {
			return
		}
		text := Serialize(v)
		if again, err := Unserialize(text); err != nil || Serialize(again) != text {
			t.Fatalf("%q becomes %q: %v", s, text, err)
		}
	})
}

func FuzzStrToTime(f *testing.F) {
	addSeeds(f, "2024-01-15 10:00:05", "next monday", "-1 day ago", "@5", "15 Jan 2024 3pm EST", "last day of",
		"20240115T100005")
	f.Fuzz(func(t *testing.T, s string) {
		unix, ok := StrToTime(s, 1_700_000_000)
		if again, same := StrToTime(s, 1_700_000_000); again != unix || same != ok {
			t.Fatalf("%q gives %d and %d", s, unix, again)
		}
		DateTime(unix)
	})
}

func FuzzRegexp(f *testing.F) {
	f.Add("/(a|b)+$/i", "ab")
	f.Add("/(?<=x)[^\\d]{2,3}?\\1/u", "xéé")
	f.Add("#\\Qa\\E[[:alpha:]-z]#", "a")
	f.Fuzz(func(t *testing.T, literal, subject string) {
		if len(literal) > 60 || len(subject) > 60 {
			return
		}
		re, err := CompileLiteral(literal)
		if err != nil {
			return
		}
		groups := re.FindSubmatch(subject)
		for _, g := range groups {
			if !strings.Contains(subject, g) {
				t.Fatalf("%q on %q gives %q", literal, subject, groups)
			}
		}
	})
}

func FuzzBytesThatDecode(f *testing.F) {
	addSeeds(f, "Kg==", "1.2.*.*", "::1/64", "1.0-rc1", "a%20b+%zz", "\xe4\xf6")
	f.Fuzz(func(t *testing.T, s string) {
		Base64Decode(s)
		VersionCompare(s, "1.0")
		if r, ok := ParseIPRange(s); ok && !r.Contains(r.Low) {
			t.Fatalf("%q does not contain its first address", s)
		}
		if got := URLDecode(URLEncode(s)); got != s {
			t.Fatalf("%q comes back as %q", s, got)
		}
		if got := MBToLower(s); !utf8.ValidString(got) {
			t.Fatalf("%q lower-cases to %q", s, got)
		}
		Round(StringToFloat(s), 2)
	})
}
