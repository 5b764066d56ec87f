package faults

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// The first SIGTERM lets the worker finish its batch: exit status 0, no lock left, nothing half done.
func TestStoppedAtRandomInstants(t *testing.T) {
	t.Parallel()
	stops := times(50)
	requests := 30 * stops
	s := newSite(t)
	for _, part := range parts(corpus(t, requests), stops) {
		s.push(t, part)
		c := s.start(t, func(j *job) { j.Workers, j.Batch = 2, 2 })
		c.until("ready")
		time.Sleep(rand.N(150 * time.Millisecond))
		c.signal(syscall.SIGTERM)
		c.done()
		made.add("SIGTERMs", 1)
		if held := s.locked(t); len(held) > 0 {
			t.Fatalf("locks are left: %v", held)
		}
	}
	s.drain(t)
	equal(t, s.read(t), undisturbed(t, requests))
}

// A second signal rolls back at once; the locks are released all the same.
func TestStoppedAtOnce(t *testing.T) {
	t.Parallel()
	stops := times(10)
	requests := 60 * stops
	s := newSite(t)
	for _, part := range parts(corpus(t, requests), stops) {
		s.push(t, part)
		c := s.start(t, func(j *job) { j.Workers, j.Batch = 2, 20 })
		c.until("ready")
		time.Sleep(rand.N(150 * time.Millisecond))
		c.signal(syscall.SIGTERM)
		c.signal(syscall.SIGINT)
		if status := c.wait(); status != exitDone && status != exitFailed {
			t.Fatalf("exit status %d:\n%s", status, c.stderr.String())
		}
		made.add("SIGTERMs followed by SIGINT", 1)
		if held := s.locked(t); len(held) > 0 {
			t.Fatalf("locks are left: %v", held)
		}
	}
	s.drain(t)
	equal(t, s.read(t), undisturbed(t, requests))
}
