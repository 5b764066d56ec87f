package cmd

import "testing"

// What cannot be undone, for everything at once, wants --yes where nobody can be asked. Names alone are enough for
// scripts.
func TestAllWithoutATerminalWantsYes(t *testing.T) {
	i := withFailures(t)
	i.lock(t, 0)
	for _, args := range [][]string{
		{"unlock", "--all"},
		{"failed", "delete", "--all"},
		{"failed", "delete", "--all", "--queue-id", "0", "-n"},
	} {
		r := i.run(t, args)
		if r.status != statusUsage {
			t.Errorf("%v: exit status %d", args, r.status)
		}
		contains(t, r.stderr, "--all without a terminal to ask at wants --yes")
	}
	if n := len(i.listed(t)); n != 3 || !i.locked(t, 0) {
		t.Errorf("%d dead letters, locked: %v", n, i.locked(t, 0))
	}
	i.ok(t, "unlock", "0")
	i.ok(t, "failed", "delete", i.listed(t)[0].ID)
	if n := len(i.listed(t)); n != 2 || i.locked(t, 0) {
		t.Errorf("%d dead letters, locked: %v", n, i.locked(t, 0))
	}
	i.lock(t, 0)
	i.ok(t, "unlock", "--all", "-y")
	i.ok(t, "failed", "delete", "--all", "--yes")
	if n := len(i.listed(t)); n != 0 || i.locked(t, 0) {
		t.Errorf("%d dead letters, locked: %v", n, i.locked(t, 0))
	}
}

func TestFailedShowsAllOfAQueueAsACopy(t *testing.T) {
	i := withFailures(t)
	r := i.ok(t, "failed", "show", "--all", "--json")
	contains(t, r.stdout, "no entry", "second", "fourth")
	lacks(t, r.stdout, bearerToken)
	lacks(t, i.ok(t, "failed", "show", "--all", "--reason", "undecodable", "--json").stdout, "second")
	contains(t, i.ok(t, "failed", "show", "--all", "--queue-id", "3").stdout, "No dead letters.")
}
