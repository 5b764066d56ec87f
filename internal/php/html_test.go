package php

import "testing"

func TestSanitizing(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain", "plain"},
		{"a&b", "a&amp;b"},
		{"&amp;", "&amp;"},
		{"&amp;amp;", "&amp;amp;"},
		{"&eacute;", "é"},
		{"&apos;", "&amp;apos;"},
		{`<b a="1">'`, "&lt;b a=&quot;1&quot;&gt;&#039;"},
		{"&#60;&#x3E;&#39", "&lt;&gt;&amp;#39"},
		{"&#128512;", "😀"},
		{"&#128;", "&amp;#128;"}, // not allowed in HTML 4.01
		{"&#xD800;", "&amp;#xD800;"},
		{"&#9999999999999;", "&amp;#9999999999999;"},
		{"a\x00b", "ab"},
		{"\xe4<", "ä&lt;"},
		{"é\xe4", "Ã©ä"},
		{" 1\n", " 1\n"},
		{"1.5e3", "1.5e3"},
		{"&unknown; & &;", "&amp;unknown; &amp; &amp;;"},
		{"&verylongname;", "&amp;verylongname;"},
		{"", ""},
		{"é<", "é&lt;"},
	} {
		if got := Sanitize(tt.in); got != tt.want {
			t.Errorf("Sanitize(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	for in, want := range map[string]string{" 1\n": " 1", "a\r\n<": "a&lt;", "1": "1", "a\rb": "ab"} {
		if got := SanitizeInput(in); got != want {
			t.Errorf("SanitizeInput(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestUnsanitizing(t *testing.T) {
	for in, want := range map[string]string{
		"&amp;lt;": "&lt;", "&lt;&gt;&quot;&#039;&#39;&#x27;&#38;": `<>"'''&`, "&eacute;&#233;": "&eacute;&#233;",
		"&#0060;": "<", "&": "&", "&lt": "&lt", "&#;&#x;&x;": "&#;&#x;&x;",
		"&#x0x27;&#X0X26;": "'&", "&#x0x;&#x00x27;": "&#x0x;&#x00x27;",
	} {
		if got := Unsanitize(in); got != want {
			t.Errorf("Unsanitize(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSanitizingArraysMovesChangedKeysToTheEnd(t *testing.T) {
	a := &Array{}
	a.Set("a<", String("<"))
	a.Set("b", ArrayValue(List(String("&"), Int(1))))
	a.Set("a&lt;", String("lost"))
	got, err := EncodeJSON(SanitizeValue(ArrayValue(a)))
	if want := `{"b":["&amp;",1],"a&lt;":"&lt;"}`; err != nil || got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if v := a.Value("b").Array().Value("0"); v.Str() != "&" {
		t.Errorf("the input changed to %q", v.Str())
	}
	clean := ArrayValue(List(String("x"), ArrayValue(List(Null))))
	if SanitizeValue(clean).Array() != clean.Array() {
		t.Error("a clean array was copied")
	}
}

func TestUnsanitizingMakesText(t *testing.T) {
	in, _ := DecodeJSON(`{"&lt;":["&lt;",true,null,false,1.5]}`)
	got, _ := EncodeJSON(UnsanitizeValue(in))
	if want := `{"&lt;":["<","1","","","1.5"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
