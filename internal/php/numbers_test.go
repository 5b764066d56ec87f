package php

import (
	"math"
	"testing"
)

func TestNumericStrings(t *testing.T) {
	for _, s := range []string{"5.", ".5", "1e5", " 1", "1 ", "\t\n\v\f\r1\r\n", "+3", "-0", "007", "1E-3", "99999999999999999999"} {
		if !IsNumeric(s) {
			t.Errorf("%q is numeric", s)
		}
	}
	for _, s := range []string{"", " ", "0x1A", "1_0", "1a", ".", "e5", "1e", "+", "--1", "1 1", "\x001", "INF", "é"} {
		if IsNumeric(s) {
			t.Errorf("%q is not numeric", s)
		}
	}
}

func TestIntegersFromStrings(t *testing.T) {
	for in, want := range map[string]int64{
		"12abc": 12, "abc": 0, " 7": 7, "1e2": 100, "5.9": 5, "-5.9": -5, "99999999999999999999": math.MaxInt64,
		"-1e30": math.MinInt64, "1e1000": 0,
		"9223372036854775807": math.MaxInt64,
	} {
		if got := StringToInt(in); got != want {
			t.Errorf("StringToInt(%q) = %d, want %d", in, got, want)
		}
	}
	for in, want := range map[float64]int64{1.9: 1, -1.9: -1, 1e19: -8446744073709551616, -1e30: -5076964154930102272, math.Inf(1): 0, math.NaN(): 0} {
		if got := ToInt(Float(in)); got != want {
			t.Errorf("(int) %v = %d, want %d", in, got, want)
		}
	}
	if ToInt(ArrayValue(List(Null))) != 1 || ToInt(ArrayValue(nil)) != 0 || ToInt(Null) != 0 || ToInt(Bool(true)) != 1 ||
		ToFloat(String("1.5x")) != 1.5 {
		t.Error("conversion of other kinds")
	}
}

func TestFloatsAsText(t *testing.T) {
	for _, tt := range []struct {
		f    float64
		want string
	}{
		{0.1 + 0.2, "0.3"},
		{1.0 / 3, "0.33333333333333"},
		{123456789.123456789, "123456789.12346"},
		{math.Copysign(0, -1), "-0"},
		{0.0001, "0.0001"},
		{1e-5, "1.0E-5"},
		{1e14, "1.0E+14"},
		{99999999999999, "99999999999999"},
		{1e100, "1.0E+100"},
		{1.5e-10, "1.5E-10"},
		{-2.5, "-2.5"},
		{100, "100"},
		{math.Inf(1), "INF"},
		{math.Inf(-1), "-INF"},
		{math.NaN(), "NAN"},
		{0, "0"},
		{123456789012345.6, "1.2345678901235E+14"},
		{99999999999999.9, "1.0E+14"},
		{-0.00012, "-0.00012"},
	} {
		if got := FloatString(tt.f); got != tt.want {
			t.Errorf("FloatString(%v) = %q, want %q", tt.f, got, tt.want)
		}
	}
}

func TestRoundingHalfAwayFromZero(t *testing.T) {
	for _, tt := range []struct {
		f      float64
		places int
		want   float64
	}{
		{1.005, 2, 1.01},
		{2.675, 2, 2.68},
		{0.285, 2, 0.29},
		{-1.005, 2, -1.01},
		{1234.5, -2, 1200},
		{5.055, 2, 5.06},
		{1e20, 2, 1e20},
		{0.5, 0, 1},
		{-0.5, 0, -1},
		{math.Inf(1), 2, math.Inf(1)},
		{0, 2, 0},
		{1.5, 30, 1.5},
		{12345, -30, 0},
		{999.9999999999999, 0, 1000},
		{1e-25, 24, 0},
	} {
		if got := Round(tt.f, tt.places); got != tt.want {
			t.Errorf("Round(%v, %d) = %v, want %v", tt.f, tt.places, got, tt.want)
		}
	}
}

func TestLooseEquality(t *testing.T) {
	list := ArrayValue(List(Int(1)))
	for _, tt := range []struct {
		a, b  Value
		equal bool
	}{
		{String("1"), String("01"), true},
		{String("10"), String("1e1"), true},
		{String("abc"), String("ABC"), false},
		{String("abc"), Int(0), false},
		{String("1 "), String(" 1"), true},
		{String("9223372036854775808"), String("9223372036854775809"), false},
		{String("1e1000"), String("1e1001"), false},
		{String("9223372036854775808"), String("9223372036854775807"), false},
		{String("1.5"), Float(1.5), true},
		{String("1.5x"), Float(1.5), false},
		{String("INF"), Float(math.Inf(1)), true},
		{Null, String(""), true},
		{Null, String("0"), false},
		{Null, Bool(false), true},
		{Bool(false), String("0"), true},
		{Bool(true), String("a"), true},
		{Int(2), Float(2), true},
		{Int(2), Int(3), false},
		{list, ArrayValue(List(String("1"))), true},
		{list, ArrayValue(List(Int(2))), false},
		{list, ArrayValue(nil), false},
		{list, String("Array"), false},
		{Null, ArrayValue(nil), true},
		{String("12345678901234567890.5"), String("12345678901234567890.50"), false},
		{String("1234567890123456789.5"), String("1234567890123456789.50"), true},
	} {
		if LooseEqual(tt.a, tt.b) != tt.equal || LooseEqual(tt.b, tt.a) != tt.equal {
			t.Errorf("%s == %s should be %v", Serialize(tt.a), Serialize(tt.b), tt.equal)
		}
	}
}

func TestEmptiness(t *testing.T) {
	for _, v := range []Value{Null, Bool(false), Int(0), Float(0), String(""), String("0"), ArrayValue(nil)} {
		if !Empty(v) {
			t.Errorf("%s is empty", Serialize(v))
		}
	}
	for _, v := range []Value{Bool(true), Int(-1), Float(0.1), String("0.0"), String(" "), ArrayValue(List(Null))} {
		if Empty(v) {
			t.Errorf("%s is not empty", Serialize(v))
		}
	}
}
