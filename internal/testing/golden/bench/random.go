package bench

import (
	"io"
	"math/rand/v2"
	"sync"
)

// steadyRandom gives the same values in every run. Among them are the numbers between 10 and 39 that keep conversions
// of a goal in the same second apart: two that are equal are one row, by chance, and case money-limits/goals has five
// such conversions.
type steadyRandom struct {
	mu     sync.Mutex
	source *rand.ChaCha8
}

func newSteadyRandom() io.Reader { return &steadyRandom{source: rand.NewChaCha8([32]byte{3})} }

func (r *steadyRandom) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.source.Read(p)
}
