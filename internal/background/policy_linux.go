package background

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// batch changes the policy of all threads, and thereby of those that they will start. Where that is not allowed they
// stay as they are.
func batch() {
	self, err := unix.SchedGetAttr(0, 0)
	if err != nil || self.Policy != unix.SCHED_NORMAL {
		return
	}
	for found := true; found; { // others may have been started meanwhile
		found = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return
		}
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			if err != nil {
				return
			}
			attr, err := unix.SchedGetAttr(id, 0)
			if err != nil || attr.Policy != unix.SCHED_NORMAL { // it has ended, or is one already
				continue
			}
			attr.Policy, attr.Runtime = unix.SCHED_BATCH, 0
			if unix.SchedSetAttr(id, attr, 0) != nil {
				return
			}
			found = true
		}
	}
}
