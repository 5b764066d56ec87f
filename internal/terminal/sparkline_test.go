package terminal

import (
	"math"
	"testing"
)

func TestSparkline(t *testing.T) {
	unknown := math.NaN()
	for _, test := range []struct {
		values  []float64
		columns int
		want    string
	}{
		{nil, 3, "   "},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, 8, "▁▂▃▄▅▆▇█"},
		{[]float64{99, 0, 7}, 2, "▁█"}, // the scale is that of what is shown
		{[]float64{5}, 3, "  █"},
		{[]float64{0, 0}, 2, "▁▁"},
		{[]float64{100, 99}, 2, "██"}, // a bar's foot is 0
		{[]float64{unknown, -7, 0}, 3, " ▁█"},
		{[]float64{-4, 0, 3}, 3, "▁▅█"},
		{[]float64{unknown, unknown}, 2, "  "},
		{[]float64{math.MaxFloat64, 0}, 2, "█▁"},
	} {
		if got := Sparkline(test.values, test.columns); got != test.want {
			t.Errorf("%v in %d columns: %q, want %q", test.values, test.columns, got, test.want)
		}
	}
}

func TestBlocksAreDrawnWhereTheLocaleHasThem(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"LANG": "en_GB.UTF-8"}, true},
		{map[string]string{"LANG": "C.utf8", "LC_ALL": ""}, true},
		{map[string]string{"LANG": "en_GB.UTF-8", "LC_ALL": "C"}, false},
		{map[string]string{"LC_CTYPE": "C.UTF-8", "LANG": "de_DE.ISO-8859-1"}, true},
	} {
		if got := DrawsBlocks(func(name string) (string, bool) { v, ok := test.env[name]; return v, ok }); got != test.want {
			t.Errorf("%v: %t, want %t", test.env, got, test.want)
		}
	}
}
