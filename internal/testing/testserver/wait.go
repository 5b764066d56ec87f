package testserver

import (
	"testing"
	"time"
)

// Patience is how long a test waits for what has to happen. It bounds a test that hangs, no more: a machine that is
// busy with other things for minutes must not fail a test.
const Patience = 5 * time.Minute

// Eventually waits until a condition holds, and ends the test when it does not in all of Patience.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
