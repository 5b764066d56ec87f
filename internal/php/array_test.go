package php

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

func keys(a *Array) (all []string) {
	for key := range a.All() {
		all = append(all, key)
	}
	return all
}

func TestArrayKeepsOrderAndLastValue(t *testing.T) {
	for _, n := range []int{3, indexFrom, indexFrom + 1, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			a := &Array{}
			for i := range n {
				a.Set("k"+strconv.Itoa(i), Int(int64(i)))
			}
			a.Set("k1", String("new"))
			if a.Len() != n || a.Value("k1").Str() != "new" || a.Value("k2").Int() != 2 {
				t.Errorf("len %d, k1 %q, k2 %d", a.Len(), a.Value("k1").Str(), a.Value("k2").Int())
			}
			copied := a.Clone()
			a.Delete("k0")
			a.Delete("missing")
			if key, _ := a.At(0); key != "k1" || a.Len() != n-1 || a.Value("k2").Int() != 2 {
				t.Errorf("after Delete: %v", keys(a))
			}
			if _, ok := a.Get("k0"); ok || copied.Value("k0").IsNull() || copied.Len() != n {
				t.Error("the copy shares entries")
			}
		})
	}
}

func TestArrayAppendsAfterTheLargestKey(t *testing.T) {
	a := &Array{}
	a.Append(Int(1))
	a.Set("7", Int(2))
	a.Set("x", Int(3))
	a.Append(Int(4))
	a.Set("20", Null)
	a.Append(Int(5))
	if want := []string{"0", "7", "x", "8", "20", "21"}; !slices.Equal(keys(a), want) {
		t.Errorf("keys %v, want %v", keys(a), want)
	}
	if a.IsList() || !List(Null, Null).IsList() {
		t.Error("IsList")
	}
}

func TestNilArrayReadsAsEmpty(t *testing.T) {
	var a *Array
	if _, ok := a.Get("x"); ok || a.Len() != 0 || !a.IsList() || keys(a) != nil || a.Clone().Len() != 0 {
		t.Error("a nil array has something")
	}
}

func TestValuesTellTheirKind(t *testing.T) {
	for _, tt := range []struct {
		v    Value
		kind Kind
	}{
		{Null, KindNull},
		{Bool(true), KindBool},
		{Int(-5), KindInt},
		{Float(1.5), KindFloat},
		{String("s"), KindString},
		{ArrayValue(nil), KindArray},
	} {
		if tt.v.Kind() != tt.kind || tt.v.IsNull() != (tt.kind == KindNull) || tt.v.IsString() != (tt.kind == KindString) ||
			tt.v.IsArray() != (tt.kind == KindArray) {
			t.Errorf("%v is of kind %d", tt.v, tt.v.Kind())
		}
		if tt.v.Bool() != (tt.kind == KindBool) || (tt.v.Int() == -5) != (tt.kind == KindInt) ||
			(tt.v.Float() == 1.5) != (tt.kind == KindFloat) {
			t.Errorf("%v gives values of other kinds", tt.v)
		}
	}
}

func TestSetNewIsFoundWithAndWithoutIndex(t *testing.T) {
	for _, before := range []int{0, 3, indexFrom + 1} {
		a := &Array{}
		for i := range before {
			a.Set(strconv.Itoa(i), Int(int64(i)))
		}
		for i := before; i < before+2*indexFrom; i++ {
			a.SetNew(strconv.Itoa(i), Int(int64(i)))
		}
		a.Set("1", Int(-1))
		a.Append(Null)
		for i := range before + 2*indexFrom {
			want := int64(i)
			if i == 1 {
				want = -1
			}
			if got := a.Value(strconv.Itoa(i)); got.Int() != want {
				t.Errorf("%d before: %d is %v", before, i, got.Int())
			}
		}
		if n := before + 2*indexFrom; a.Len() != n+1 || !a.IsList() {
			t.Errorf("%d before: %d entries, want a list of %d", before, a.Len(), n+1)
		}
	}
}

// Whatever happens to an array, it has the keys that a list of them with the same history has, in their order, and no
// others.
func TestArrayIsLikeAListOfKeys(t *testing.T) {
	keys := []string{"", "0", "1", "7", "a", "b", "ab", "ba", "aba", "aca", "\x00", "é"}
	for i := range 2 * indexFrom {
		keys = append(keys, fmt.Sprint("dimension", i))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		a, list := &Array{}, []string(nil)
		for range random.IntN(4 * indexFrom) {
			key := keys[random.IntN(len(keys))]
			at := slices.Index(list, key)
			switch random.IntN(8) {
			case 0:
				a.Delete(key)
				if at >= 0 {
					list = slices.Delete(list, at, at+1)
				}
				continue
			case 1:
				a = a.Clone()
			case 2:
				if at < 0 {
					a.SetNew(key, String(key))
					list = append(list, key)
				}
				continue
			}
			a.Set(key, String(key))
			if at < 0 {
				list = append(list, key)
			}
		}
		object, err := EncodeJSON(ArrayValue(a))
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := DecodeJSON(object)
		if err != nil {
			t.Fatal(err)
		}
		for about, array := range map[string]*Array{"set": a, "decoded": decoded.Array()} {
			for _, key := range keys {
				if v, ok := array.Get(key); ok != slices.Contains(list, key) || ok && v.Str() != key {
					t.Fatalf("%s %q: %q is %q, %v", about, list, key, v.Str(), ok)
				}
			}
			var got []string
			for key := range array.All() {
				got = append(got, key)
			}
			if !slices.Equal(got, list) {
				t.Fatalf("%s: %q, want %q", about, got, list)
			}
		}
	}
}
