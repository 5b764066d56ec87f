package cmd

import (
	"context"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestServeSaysAtTheEndWhatBecameOfRequests(t *testing.T) {
	i := newInstallation(t)
	s := startServe(t, i.dir, i.env, "--process=false")
	for n := range 3 {
		s.get(t, hit(n))
	}
	s.get(t, hit(4)+"&queuedtracking=0")
	s.get(t, "/matomo.php?idsite=1&rec=1&a="+strings.Repeat("x", 40<<10)) // headers that are too large are no request
	s.get(t, "/matomo.php")
	s.stop(t)
	contains(t, s.out.String(), "Received 5 requests: 3 queued, 1 tracked at once, 1 empty.\n")
}

func TestServeSaysAtTheEndWhatTheSpoolKeeps(t *testing.T) {
	env := map[string]string{
		"QUEUEDTRACKING_REDIS_HOST": filepath.Join(t.TempDir(), "nobody.sock"), "QUEUEDTRACKING_NUM_QUEUE_WORKERS": "1",
	}
	s := startServe(t, t.TempDir(), env, "--without-database", "--spool", t.TempDir())
	s.get(t, hit(1))
	s.stop(t)
	contains(t, s.out.String(), "Received 1 request: 1 queued; the spool keeps 1 for the next start.\n")

	s = startServe(t, t.TempDir(), env, "--without-database", "--spool", t.TempDir())
	s.get(t, "/healthz") // no request of a tracker
	s.stop(t)
	contains(t, s.out.String(), "Received 0 requests.\n")
}

// Whoever may connect to the socket says from which address a request comes: by default it is the user and the group.
func TestModeOfTheSocket(t *testing.T) {
	i := newInstallation(t)
	for mode, args := range map[fs.FileMode][]string{
		0o660: nil, 0o666: {"--listen-mode", "0666"}, 0o600: {"--listen-mode=600"},
	} {
		socket := filepath.Join(t.TempDir(), "second")
		args = append(args, "--process=false", "--listen", socket, "--metrics-listen", "unix:"+socket+".metrics")
		s := startServe(t, i.dir, i.env, args...)
		s.client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}}
		s.get(t, "/healthz")
		if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%v: %v, %v", args, info.Mode(), err)
		}
		if info, err := os.Stat(socket + ".metrics"); err != nil || info.Mode().Perm() != 0o660 {
			t.Errorf("metrics: %v, %v", info.Mode(), err)
		}
		s.stop(t)
	}
}
