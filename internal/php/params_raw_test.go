package php

import "testing"

func TestRawParametersAreReadAsTheyCome(t *testing.T) {
	tests := []struct {
		in   string // JSON of the parameter
		text string
		n    int64
		ok   bool
	}{
		{`"200"`, "200", 200, true},
		{`200`, "200", 200, true},
		{`200.0`, "200", 200, true},
		{`"-5"`, "-5", -5, true},
		{`"0"`, "0", 0, true},
		{`"2\u000000"`, "200", 200, true},
		{`"9223372036854775807"`, "9223372036854775807", 9223372036854775807, true},

		// text that PHP would print otherwise
		{`"0200"`, "0200", 0, false},
		{`"+200"`, "+200", 0, false},
		{`" 200"`, " 200", 0, false},
		{`"200.0"`, "200.0", 0, false},
		{`"1e3"`, "1e3", 0, false},
		{`"-0"`, "-0", 0, false},
		{`"9223372036854775808"`, "9223372036854775808", 0, false},
		{`200.5`, "200.5", 0, false},
		{`1e25`, "1.0E+25", 0, false},

		// neither escaped nor trimmed
		{`" a&b<c> \"'"`, ` a&b<c> "'`, 0, false},

		// no text and no number
		{`""`, "", 0, false},
		{`true`, "", 0, false},
		{`null`, "", 0, false},
		{`["200"]`, "", 0, false},
	}
	for _, tt := range tests {
		v, err := DecodeJSON(`{"p":` + tt.in + `}`)
		if err != nil {
			t.Fatal(tt.in, err)
		}
		if got := RawString(v.Array(), "p"); got != tt.text {
			t.Errorf("%s: text %q, want %q", tt.in, got, tt.text)
		}
		n, ok := RawInt(v.Array(), "p")
		if ok != tt.ok || ok && n != tt.n {
			t.Errorf("%s: number %d, %v, want %d, %v", tt.in, n, ok, tt.n, tt.ok)
		}
	}
	if got := RawString(&Array{}, "p"); got != "" {
		t.Errorf("missing: %q", got)
	}
}
