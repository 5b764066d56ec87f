package receive

import (
	"errors"
	"io"
	"sync/atomic"
)

// smallBody needs no share of the memory for bodies: connections are limited, too.
const smallBody = 16 << 10

// errBusy refuses a body for which there is no memory now.
var errBusy = errors.New("too many large bodies at the same time")

// errTooLarge refuses a body that is longer than the limit.
var errTooLarge = errors.New("body is too large")

// largeBody takes memory for what has come of a body, not for what is announced: a client that sends nothing keeps
// nobody from being served.
type largeBody struct {
	from io.Reader
	all  *atomic.Int64 // bytes of all large bodies
	most int64         // for all
	mine int64
	max  int64 // for this one
}

func (b *largeBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.mine += int64(n)
	if b.all.Add(int64(n)) > b.most {
		return n, errBusy
	}
	if b.mine > b.max {
		return n, errTooLarge
	}
	return n, err
}

func (b *largeBody) release() { b.all.Add(-b.mine) }
