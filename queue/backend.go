package queue

import (
	"context"
	"errors"
	"time"
)

// What the errors of a Backend are, for errors.Is.
var (
	// ErrUnavailable: the server cannot be reached or cannot serve now; the same call may succeed later.
	ErrUnavailable = errors.New("queue server unavailable")
	// ErrDenied: the server refuses us: wrong password, missing right, certificate not accepted. Trying again does not
	// help.
	ErrDenied = errors.New("refused by the queue server")
	// ErrFull: the server takes nothing more because its memory is full. What frees memory still works.
	ErrFull = errors.New("memory of the queue server is full")
)

// NoExpiry is the remaining time of a key that never expires.
const NoExpiry time.Duration = -1

// Backend keeps lists (the queues, dead letters) and short-lived keys (locks). Implementations may be used by several
// goroutines; every call is bounded by its context and by timeouts of its own. A call on a list or key that does not
// exist succeeds with an empty result.
type Backend interface {
	// Append adds elements to the end of a list as they are, in order.
	Append(ctx context.Context, list string, elements ...[]byte) error
	// AppendMarked is Append and the setting of a mark as one step: both happen or none. The mark's key must be in
	// the list's hash slot, see OffsetKey. It exists without elements, too. A server whose memory is full takes them
	// if the mark says so.
	AppendMarked(ctx context.Context, list string, mark Mark, elements ...[]byte) error
	// Range returns up to n elements from position start (0 is the oldest).
	Range(ctx context.Context, list string, start int64, n int) ([][]byte, error)
	// Len returns the true number of elements.
	Len(ctx context.Context, list string) (int64, error)
	// Lens is Len for several lists in as few round trips as the server allows.
	Lens(ctx context.Context, lists ...string) ([]int64, error)

	// Head reads up to n of the oldest elements together with the list's offset counter and length, all of one instant.
	Head(ctx context.Context, list string, n int) (Batch, error)
	// Next is Head for the elements behind a batch, whether it has been removed meanwhile or not.
	Next(ctx context.Context, list string, after Batch, n int) (Batch, error)
	// RemoveFirst removes the elements of a batch that Head returned and raises the offset counter by their number, as
	// one step. It does nothing and reports false when the list no longer begins with this batch: somebody else has
	// removed it.
	RemoveFirst(ctx context.Context, list string, batch Batch) (bool, error)
	// Offset returns the counter of the elements ever removed by RemoveFirst.
	Offset(ctx context.Context, list string) (int64, error)

	// Take removes the first element equal to element and reports whether there was one.
	Take(ctx context.Context, list string, element []byte) (bool, error)
	// Move removes the first element of list from that is equal to element and appends replacement to list to, as one
	// step. It does nothing and reports false when there is no such element. Both lists must be in one hash slot.
	Move(ctx context.Context, from, to string, element, replacement []byte) (bool, error)

	// SetIfNotExists sets a key that expires after ttl and reports whether it was free. It works, too, while the
	// server's memory is full: without a lock nobody could empty the queues.
	SetIfNotExists(ctx context.Context, key, value string, ttl time.Duration) (bool, error)
	// ExpireIfValue lets the key expire ttl from now if it has this value, and reports whether it has.
	ExpireIfValue(ctx context.Context, key, value string, ttl time.Duration) (bool, error)
	// DeleteIfValue deletes the key if it has this value, and reports whether it had.
	DeleteIfValue(ctx context.Context, key, value string) (bool, error)
	// Delete deletes a key or a list and reports whether it existed.
	Delete(ctx context.Context, key string) (bool, error)
	// Get returns the value of a key; ok is false when there is none.
	Get(ctx context.Context, key string) (value string, ok bool, err error)
	// TTLs returns the time left of each key, 0 for one that does not exist, NoExpiry for one that stays, in as few
	// round trips as the server allows.
	TTLs(ctx context.Context, keys ...string) ([]time.Duration, error)

	Tallies

	// Info tells what the server says about itself.
	Info(ctx context.Context) (Info, error)
	// Close gives the connections back.
	Close() error
}

// Mark is a key that AppendMarked sets.
type Mark struct {
	Key, Value string
	TTL        time.Duration
	WhenFull   bool // append although the server's memory is full: the elements leave another list of it
}

// Batch is what Head and Next return.
type Batch struct {
	Elements [][]byte
	Offset   int64 // position of the first element, counted from the first one ever
	Len      int64 // elements in the list from the first one on

	rows    []int64 // of the elements in their table, where there is one
	counted bool    // the row of the list's counter was there
}

// End is the position behind the last element.
func (b Batch) End() int64 { return b.Offset + int64(len(b.Elements)) }

// First is the batch of the first n elements.
func (b Batch) First(n int) Batch {
	b.Elements = b.Elements[:min(n, len(b.Elements))]
	b.rows = b.rows[:min(n, len(b.rows))]
	return b
}

// Parts are the batches of n elements each that the batch consists of, in order; the last one may have fewer.
func (b Batch) Parts(n int) []Batch {
	var parts []Batch
	for len(b.Elements) > n {
		parts = append(parts, b.First(n))
		b.Elements, b.rows = b.Elements[n:], b.rows[min(n, len(b.rows)):]
		b.Offset, b.Len = b.Offset+int64(n), b.Len-int64(n)
	}
	return append(parts, b)
}

// Unknown stands for a number that the server did not tell.
const Unknown int64 = -1

// Info describes the server of a backend. Texts are "" and numbers Unknown when the server does not tell them.
type Info struct {
	Server         string // redis, valkey, mariadb, mysql
	Version        string
	Role           string   // master or replica
	Mode           string   // standalone, sentinel, cluster, database
	Mismatch       string   // what the settings should be, where the servers work together otherwise than these say
	Nodes          []string // the servers that work together and their roles, for people; none for a single server
	MemoryUsed     int64    // bytes
	MemoryPeak     int64    // bytes
	MemoryLimit    int64    // bytes, 0 without limit
	MemoryShare    float64  // of its limit that the fullest server uses, 1 when it is full; 0 without limit
	Fullest        string   // that server, in a cluster
	EvictionPolicy string   // noeviction, …; in a cluster the one of any node that has another
	Notes          []string // what could not be asked, and why
}
