package php

import (
	"errors"
	"math"
	"testing"
)

func given(v Value) *Array {
	a := &Array{}
	a.Set("p", v)
	return a
}

func TestReadString(t *testing.T) {
	for _, tt := range []struct {
		v    Value
		want string
	}{
		{String("a<b"), "a&lt;b"},
		{Int(5), "5"},
		{Float(1.5), "1.5"},
		{Bool(true), "&quot;"},
		{Bool(false), "&quot;"},
		{ArrayValue(nil), "&quot;"},
		{Null, "&quot;"},
		{String(""), "&quot;"},
		{String("0"), "0"},
	} {
		if got := ReadString(given(tt.v), "p", `"`); got != tt.want {
			t.Errorf("%s gives %q, want %q", Serialize(tt.v), got, tt.want)
		}
	}
	if got := ReadString(nil, "p", "x"); got != "x" {
		t.Errorf("missing parameter gives %q", got)
	}
	if got := ReadString(List(String("v")), "0", "x"); got != "x" {
		t.Errorf(`a parameter named "0" gives %q`, got)
	}
}

func TestReadInt(t *testing.T) {
	for in, want := range map[string]int64{
		"5": 5, "5.0": 5, "1e2": 100, " 7": 7, "7 ": 7, "007": 7, "+3": 3, "-2": -2, "abc": -9, "5abc": -9, "0x1A": -9,
		"1.5": -9, "9223372036854775808": -9, "1e30": -9, "": -9, "0": 0, "&#53;": 5,
	} {
		if got := ReadInt(given(String(in)), "p", -9); got != want {
			t.Errorf("%q gives %d, want %d", in, got, want)
		}
	}
	for _, tt := range []struct {
		v    Value
		want int64
	}{
		{Bool(true), 1},
		{Bool(false), -9},
		{Float(1.5), -9},
		{Float(2), 2},
		{Int(4), 4},
		{ArrayValue(List(Int(1))), -9},
		{Float(1e30), -9},
	} {
		if got := ReadInt(given(tt.v), "p", -9); got != tt.want {
			t.Errorf("%s gives %d, want %d", Serialize(tt.v), got, tt.want)
		}
	}
}

func TestReadFloat(t *testing.T) {
	for in, want := range map[string]float64{
		"1.5": 1.5, "1,5": 1, ".5": 0.5, "5.": 5, "1e3": 1000, "1.5 ": 0, "1.5\n": 1.5, "abc": 0, "1e400": math.Inf(1),
		"+2": 2, "1.2.3": 0, "0x1": 0, "e5": 0,
	} {
		if got, err := ReadFloat(given(String(in)), "p"); got.Value != want || !got.Given || err != nil {
			t.Errorf("%q gives %v, %v, want %v", in, got, err, want)
		}
	}
	if got, err := ReadFloat(given(String("")), "p"); got.Given || err != nil {
		t.Error("an empty parameter is given")
	}
	if got, _ := ReadFloat(given(Bool(true)), "p"); got.Value != 1 || !got.Number {
		t.Errorf("true gives %v", got)
	}
	if _, err := ReadFloat(given(ArrayValue(nil)), "p"); !errors.Is(err, ErrType) {
		t.Errorf("an array gives %v", err)
	}
}

// TestFloatsBefore51 has what the readers of 5.0 and 5.1 make of the same parameter.
func TestFloatsBefore51(t *testing.T) {
	number := func(f float64) Decimal { return Decimal{f, true, true} }
	none := Decimal{Given: true}
	for _, tt := range []struct {
		v             Value
		before, since Decimal
	}{
		{String("1.5"), number(1.5), number(1.5)},
		{String("0.30000000000000004"), none, number(0.30000000000000004)},
		{String("1234567890.123456"), none, number(1234567890.123456)},
		{Float(0.30000000000000004), none, number(0.30000000000000004)},
		{String("1e400"), none, number(math.Inf(1))},
		{String("1,5"), none, number(1)},
		{String(" 5"), number(5), none},
		{String("5 "), number(5), none},
		{String("abc"), none, none},
		{String("0"), number(0), number(0)},
		{Bool(true), number(1), number(1)},
		{Bool(false), Decimal{}, Decimal{}},
		{Null, Decimal{}, Decimal{}},
	} {
		if got := ReadComparedFloat(given(tt.v), "p"); got != tt.before {
			t.Errorf("5.0: %s gives %v, want %v", Serialize(tt.v), got, tt.before)
		}
		if got, err := ReadFloat(given(tt.v), "p"); got != tt.since || err != nil {
			t.Errorf("5.1: %s gives %v, %v, want %v", Serialize(tt.v), got, err, tt.since)
		}
	}
	if got := ReadComparedFloat(given(ArrayValue(List(Int(5)))), "p"); got != none {
		t.Errorf("5.0: a list gives %v, want %v", got, none)
	}
}

func TestReadJSON(t *testing.T) {
	for _, tt := range []struct {
		v       Value
		want    string
		present bool
	}{
		{String(`["<",1]`), `["&lt;",1]`, true},
		{String(`{"a<":1}`), `{"a&lt;":1}`, true},
		{String("no json"), "null", true},
		{ArrayValue(List(String("&"))), `["&amp;"]`, true},
		{Int(3), "3", true},
		{String(""), "null", false},
		{Bool(false), "null", false},
		{Null, "null", false},
	} {
		v, present := ReadJSON(given(tt.v), "p")
		if got, _ := EncodeJSON(v); got != tt.want || present != tt.present {
			t.Errorf("%s gives %s, %v", Serialize(tt.v), got, present)
		}
	}
}
