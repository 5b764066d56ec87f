package background

import (
	"runtime"
	"testing"
	"time"
)

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		live uint64 // MB
		want int
	}{
		{0, 300}, {1, 300}, {24, 300}, {32, 200}, {48, 100}, {60, 100}, {5000, 100},
	} {
		if got := percent(c.live << 20); got != c.want {
			t.Errorf("%d MB in use: %d %%, want %d", c.live, got, c.want)
		}
	}
}

func TestAfterEachCollection(t *testing.T) {
	collected := make(chan struct{}, 100)
	afterCollection(func() { collected <- struct{}{} })
	for i := range 3 {
		runtime.GC()
		select {
		case <-collected:
		case <-time.After(5 * time.Minute):
			t.Fatalf("not called after collection %d", i+1)
		}
	}
}
