package queue

import (
	"context"
	"time"
)

// Tally is a change of what is kept under a key, by names: numbers are added to those that are there, texts replace
// them. Names have no "=" and no more than MaxTallyName bytes.
type Tally struct {
	Numbers map[string]int64
	Texts   map[string]string
}

// MaxTallyName is the longest name in a Tally.
const MaxTallyName = 100

// Tallies are the part of a Backend that keeps statistics beside the queues.
type Tallies interface {
	// AddTally adds a tally to what is kept under key, which expires ttl from now, and under total, which stays, as one
	// step. Both keys must be in one hash slot, see OffsetKey.
	AddTally(ctx context.Context, key, total string, ttl time.Duration, tally Tally) error
	// Tally returns what is kept under a key.
	Tally(ctx context.Context, key string) (map[string]string, error)
}
