package receive

import (
	"errors"
	"fmt"
	"time"
)

// Limits protect the receiver from requests made to exhaust it. The zero value of a field is no limit only where it
// says so.
type Limits struct {
	BodyBytes    int64 // longest body; beyond: 413
	HeaderBytes  int   // longest request line and headers; beyond: 431. Each connection has as much memory
	BulkRequests int   // most requests in one bulk request; beyond: 413
	BodyMemory   int64 // bytes of bodies read at the same time; beyond: 503
	Connections  int   // open connections; more wait until others end

	HeaderTimeout time.Duration // to send the headers
	ReadTimeout   time.Duration // to send the body
	WriteTimeout  time.Duration // to take the answer; a request is tracked at once within as much
	IdleTimeout   time.Duration // between two requests of a connection

	Rate  float64 // requests per second and client address, 0: no limit; beyond: 429
	Burst int     // requests that an address may send at once
}

// DefaultLimits are those of PHP behind a web server, more or less.
func DefaultLimits() Limits {
	return Limits{
		BodyBytes: 8 << 20, HeaderBytes: 32 << 10, BulkRequests: 5000, BodyMemory: 64 << 20, Connections: 10_000,
		HeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 40 * time.Second,
		IdleTimeout: 60 * time.Second,
		Burst:       100,
	}
}

// Validate reports limits with which nothing could be received.
func (l Limits) Validate() error {
	for _, limit := range []struct {
		name  string
		value int64
	}{
		{"bytes of a body", l.BodyBytes},
		{"bytes of headers", int64(l.HeaderBytes)},
		{"requests of a bulk request", int64(l.BulkRequests)},
		{"connections", int64(l.Connections)},
		{"time for headers", int64(l.HeaderTimeout)},
		{"time for a request", int64(l.ReadTimeout)},
		{"time for an answer", int64(l.WriteTimeout)},
		{"time between requests", int64(l.IdleTimeout)},
	} {
		if limit.value <= 0 {
			return fmt.Errorf("limit of %s: %d is not positive", limit.name, limit.value)
		}
	}
	switch {
	case l.BodyMemory < l.BodyBytes:
		return fmt.Errorf("memory for bodies: %d is less than one body may have, %d", l.BodyMemory, l.BodyBytes)
	case l.Rate < 0:
		return fmt.Errorf("rate %g: must not be negative", l.Rate)
	case l.Rate > 0 && l.Burst < 1:
		return errors.New("burst: must be positive")
	}
	return nil
}
