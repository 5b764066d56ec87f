package background

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// heapGoal is the size, in bytes, up to which the heap may grow before garbage is collected, however little of it is
	// in use: batches of 25 keep some 15 MB, those of 500 some 35 MB, and collecting whenever there is as much garbage
	// would take a tenth of the processor time.
	heapGoal uint64 = 96 << 20
	// How much more than what is in use it may grow, at least, as Go has it, and at most: at the start little is in use,
	// but will be soon.
	leastPercent, mostPercent = 100, 300
)

// collectSeldom lets the collector wait for heapGoal, unless the environment has its own wish. What is in use changes:
// each collection decides when the next one is due.
func collectSeldom() {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if os.Getenv(name) != "" {
			return
		}
	}
	afterCollection(func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		if live[0].Value.Kind() == metrics.KindUint64 {
			debug.SetGCPercent(percent(live[0].Value.Uint64()))
		}
	})
}

// percent is how much the heap may grow from what is in use, for debug.SetGCPercent.
func percent(live uint64) int {
	const once = 100 // as much as is in use
	goal := heapGoal * once / max(live, 1)
	return int(min(max(goal, once+leastPercent), once+mostPercent) - once)
}

// afterCollection calls f after each collection of garbage from now on.
func afterCollection(f func()) {
	type garbage struct{ _ *int } // not too small: tiny objects share their fate
	var again func(*garbage)
	again = func(g *garbage) {
		f()
		runtime.SetFinalizer(g, again)
	}
	runtime.SetFinalizer(new(garbage), again)
}
