package cmd

import (
	"testing"
)

// asks runs the program on a terminal, answers its question and returns what came of it.
func (i *installation) asks(t *testing.T, question, answer string, args ...string) result {
	t.Helper()
	user, tty := openTerminal(t)
	s := watchTerminal(user)
	ended := make(chan result)
	go func() { ended <- i.run(t, args, func(p *program) { p.stdin, p.stderr = tty, tty }) }()
	s.await(t, question)
	s.press(t, answer)
	r := <-ended
	r.stderr = s.String()
	return r
}

func TestUnlockAllAsksOnATerminal(t *testing.T) {
	i := newInstallation(t)
	i.lock(t, 0)
	i.lock(t, 2)
	const question = "Release the locks of 2 queues?"
	for _, answer := range []string{"\n", "n\n", "\x04"} { // the last one ends the input
		r := i.asks(t, question, answer, "unlock", "--all")
		if r.status != statusFailed || !i.locked(t, 0) || !i.locked(t, 2) {
			t.Errorf("answer %q: exit status %d", answer, r.status)
		}
	}
	if r := i.asks(t, question, "y\n", "unlock", "--all"); r.status != statusDone || i.locked(t, 0) || i.locked(t, 2) {
		t.Errorf("exit status %d", r.status)
	}
}

func TestFailedDeleteAsksOnATerminal(t *testing.T) {
	i := withFailures(t)
	id := i.listed(t)[0].ID
	r := i.asks(t, "Delete 1 dead letter for good?", "n\n", "failed", "delete", id)
	if r.status != statusFailed || len(i.listed(t)) != 3 {
		t.Errorf("exit status %d", r.status)
	}
	if r := i.asks(t, "Delete 3 dead letters for good?", "yes\n", "failed", "delete", "--all"); r.status != statusDone ||
		len(i.listed(t)) != 0 {
		t.Errorf("exit status %d", r.status)
	}
}

func TestASignalIsNoAnswer(t *testing.T) {
	i := newInstallation(t)
	i.lock(t, 0)
	user, tty := openTerminal(t)
	s := watchTerminal(user)
	ended := make(chan result)
	stop := make(chan struct{})
	go func() {
		ended <- i.run(t, []string{"unlock", "--all"}, func(p *program) { p.stdin, p.stderr, p.stop = tty, tty, stop })
	}()
	s.await(t, "[y/N]")
	close(stop)
	if r := <-ended; r.status != statusFailed || !i.locked(t, 0) {
		t.Errorf("exit status %d", r.status)
	}
}
