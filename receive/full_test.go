package receive

import (
	"net/http"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// A full Redis is like one that is away: requests wait on disk and follow once there is room.
func TestFullRedisFillsTheSpool(t *testing.T) {
	server := testserver.Redis(t)
	spool := t.TempDir()
	c := startChild(t, server.Socket, spool, 2)
	s := startSenders(func() string { return c.addr })
	s.wait(t, 100)
	server.Fill(t)
	s.wait(t, 300) // through the spool
	n, err := server.Dial(t).Do("LLEN", queue.Key(0))
	if err != nil {
		t.Fatal(err)
	}
	s.wait(t, 100)
	if after, err := server.Dial(t).Do("LLEN", queue.Key(0)); err != nil || after != n {
		t.Errorf("a full Redis took requests: %v, then %v, %v", n, after, err)
	}
	if _, err := server.Dial(t).Do("CONFIG", "SET", "maxmemory", 0); err != nil {
		t.Fatal(err)
	}
	s.wait(t, 100)
	s.end()
	wantDrained(t, server, spool, s)
	if s.refused() > 0 || s.other[noAnswer] > 0 {
		t.Errorf("other answers %v", s.other)
	}
}

func TestFullRedisWithoutSpoolRefuses(t *testing.T) {
	server := testserver.Redis(t)
	c := startChild(t, server.Socket, "", 1)
	server.Fill(t)
	response, err := http.Get("http://" + c.addr + "/matomo.php?idsite=1&rec=1")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q", response.StatusCode, response.Header.Get("Retry-After"))
	}
}
