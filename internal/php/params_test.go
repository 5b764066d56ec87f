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
		"5": 5, "5.0": 5, "1e2": 100, " 7": 7, "7 ": 7, "007": 7, "+3": 3, "-2": -2, "abc": -9, "5abc": -9, "0x1A": -9, "1.5": -9, "9223372036854775808": -9, "1e30": -9, "": -9, "0": 0, "&#53;": 5,
	} {
		if got := ReadInt(given(String(in)), "p", -9); got != want {
			t.Errorf("%q gives %d, want %d", in, got, want)
		}
	}
	for _, tt := range []struct {
		v    Value
		want int64
	}{{Bool(true), 1}, {Bool(false), -9}, {Float(1.5), -9}, {Float(2), 2}, {Int(4), 4}, {ArrayValue(List(Int(1))), -9}, {Float(1e30), -9}} {
		if got := ReadInt(given(tt.v), "p", -9); got != tt.want {
			t.Errorf("%s gives %d, want %d", Serialize(tt.v), got, tt.want)
		}
	}
}

func TestReadFloat(t *testing.T) {
	for in, want := range map[string]float64{
		"1.5": 1.5, "1,5": 1, ".5": 0.5, "5.": 5, "1e3": 1000, "1.5 ": 0, "1.5\n": 1.5, "abc": 0, "1e400": math.Inf(1), "+2": 2, "1.2.3": 0, "0x1": 0, "e5": 0,
	} {
		if got, ok, err := ReadFloat(given(String(in)), "p"); got != want || !ok || err != nil {
			t.Errorf("%q gives %v, %v, %v, want %v", in, got, ok, err, want)
		}
	}
	if _, ok, err := ReadFloat(given(String("")), "p"); ok || err != nil {
		t.Error("an empty parameter is given")
	}
	if got, ok, _ := ReadFloat(given(Bool(true)), "p"); got != 1 || !ok {
		t.Errorf("true gives %v", got)
	}
	if _, _, err := ReadFloat(given(ArrayValue(nil)), "p"); !errors.Is(err, ErrType) {
		t.Errorf("an array gives %v", err)
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
