// Package parallel spreads work over cores.
package parallel

import (
	"sync"
	"sync/atomic"
)

// Each calls do for 0 … n-1, on so many goroutines at most. Each of them must have worth calls to make, at least:
// starting one, and waking another thread, takes as long as some of them. do must not panic.
func Each(n, goroutines, worth int, do func(i int)) {
	goroutines = min(goroutines, n/max(1, worth))
	if goroutines < 2 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	work := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			do(i)
		}
	}
	var others sync.WaitGroup
	for range goroutines - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}
