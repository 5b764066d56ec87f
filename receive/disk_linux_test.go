package receive

import (
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// A disk that is full refuses requests and takes them again when there is room; what it has taken is not lost.
func TestNothingIsLostWhenTheSpoolsDiskIsFull(t *testing.T) {
	const room = 256 << 10
	for _, kind := range []struct {
		name string
		disk func(t *testing.T) (dir string, env []string)
	}{
		{"full file system", func(t *testing.T) (string, []string) { return smallDisk(t, room), nil }},
		{"files may not grow", func(t *testing.T) (string, []string) {
			return t.TempDir(), []string{childFileLimit + "=" + strconv.Itoa(room)}
		}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			spool, env := kind.disk(t)
			server := testserver.Redis(t, testserver.WithAOF())
			c := startChild(t, server.Socket, spool, 2, env...)
			s := startSenders(func() string { return c.addr })
			s.wait(t, 100)
			for range 2 {
				server.Kill(t)
				refused := s.refused()
				testserver.Eventually(t, "requests are refused", func() bool { return s.refused() > refused+100 })
				server.Start(t)
				s.wait(t, 200)
			}
			s.end()
			wantDrained(t, server, spool, s)
		})
	}
}

// smallDisk is a directory on a file system of its own with room for size bytes.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(size)); err != nil {
		t.Skip("a file system cannot be mounted:", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}
