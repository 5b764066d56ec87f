package php

import "testing"

func TestTrimRemovesOnlyWhatPHPRemoves(t *testing.T) {
	for in, want := range map[string]string{" \t\n\r\x00\v a \v": "a", "\fa\f": "\fa\f", "\u00a0a": "\u00a0a", "": "", "  ": ""} {
		if got := Trim(in); got != want {
			t.Errorf("Trim(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLowerCase(t *testing.T) {
	for _, tt := range []struct{ in, ascii, unicode string }{
		{"ABC xyz", "abc xyz", "abc xyz"},
		{"ÄÖ Straße", "ÄÖ straße", "äö straße"},
		{"ΑΣ", "ΑΣ", "ασ"}, // no final sigma in PHP 8.2
		{"İ", "İ", "i\u0307"},
		{"\xE4\xF6", "\xE4\xF6", "??"},
		{"\xE4\xF6\xFC", "\xE4\xF6\xFC", "???"},
		{"A\xE2\x82Z", "a\xE2\x82z", "a?z"},
		{"", "", ""},
	} {
		if got := ToLower(tt.in); got != tt.ascii {
			t.Errorf("ToLower(%q) = %q, want %q", tt.in, got, tt.ascii)
		}
		if got := MBToLower(tt.in); got != tt.unicode {
			t.Errorf("MBToLower(%q) = %q, want %q", tt.in, got, tt.unicode)
		}
	}
}

func TestCaseIsIgnoredForASCIIOnly(t *testing.T) {
	for _, tt := range []struct {
		a, b  string
		equal bool
	}{
		{"PHPSESSID", "phpsessid", true},
		{"É", "é", false},
		{"a", "ab", false},
		{"[", "{", false},
		{"a", "b", false},
		{"", "", true},
	} {
		if got := EqualFold(tt.a, tt.b); got != tt.equal {
			t.Errorf("EqualFold(%q, %q) = %v", tt.a, tt.b, got)
		}
	}
	for _, tt := range []struct {
		s, sub string
		found  bool
	}{
		{"Mozilla GoogleBot/1", "googlebot", true},
		{"abc", "", true},
		{"", "a", false},
		{"É", "é", false},
		{"aab", "AB", true},
	} {
		if got := ContainsFold(tt.s, tt.sub); got != tt.found {
			t.Errorf("ContainsFold(%q, %q) = %v", tt.s, tt.sub, got)
		}
	}
}

func TestCutting(t *testing.T) {
	for _, tt := range []struct {
		in           string
		n            int
		bytes, runes string
	}{
		{"äöü", 2, "ä", "äö"},
		{"äöü", 3, "ä\xc3", "äöü"},
		{"abc", 5, "abc", "abc"},
		{"😀😀", 1, "\xf0", "😀"},
		{"€x", 1, "\xe2", "€"},
		{"\xff\xffa", 2, "\xff\xff", "\xff\xff"},
		{"abc", 0, "", ""},
		{"\xf5ab", 1, "\xf5", "\xf5"},
		{"ab\xe2", 3, "ab\xe2", "ab\xe2"},
	} {
		if got := CutBytes(tt.in, tt.n); got != tt.bytes {
			t.Errorf("CutBytes(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.bytes)
		}
		if got := CutRunes(tt.in, tt.n); got != tt.runes {
			t.Errorf("CutRunes(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.runes)
		}
	}
}
