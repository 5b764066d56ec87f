package parallel

import (
	"sync"
	"testing"
)

func TestEachCallsOnceForEach(t *testing.T) {
	for _, n := range []int{0, 1, 7, 1000} {
		for _, goroutines := range []int{0, 1, 2, 16} {
			calls := make([]int, n)
			Each(n, goroutines, 3, func(i int) { calls[i]++ })
			for i, c := range calls {
				if c != 1 {
					t.Errorf("%d by %d: %d calls for %d", n, goroutines, c, i)
				}
			}
		}
	}
}

// Two goroutines are there at the same time exactly when each has enough to do.
func TestEachStartsGoroutinesThatAreWorthIt(t *testing.T) {
	for _, c := range []struct{ n, want int }{{9, 1}, {10, 2}, {1000, 3}} {
		var mu sync.Mutex
		met := sync.NewCond(&mu)
		there, most := 0, 0
		Each(c.n, 3, 5, func(int) {
			mu.Lock()
			defer mu.Unlock()
			if most == c.want {
				return
			}
			there++
			most = max(most, there)
			met.Broadcast()
			for most < c.want { // the others come, or the test times out
				met.Wait()
			}
			there--
		})
		if most != c.want {
			t.Errorf("%d calls: %d at the same time, want %d", c.n, most, c.want)
		}
	}
}
