package receive

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// senders send requests over several connections until stopped and remember which were acknowledged.
type senders struct {
	stop  atomic.Bool
	wg    sync.WaitGroup
	mu    sync.Mutex
	acked map[string]bool // by page title
	other map[int]int     // answers by status
}

const (
	senderCount = 8
	noAnswer    = 0 // instead of a status
)

func startSenders(addr func() string) *senders {
	s := &senders{acked: make(map[string]bool), other: make(map[int]int)}
	for i := range senderCount {
		s.wg.Go(func() {
			client := &http.Client{Timeout: testserver.Patience, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := 0; !s.stop.Load(); n++ {
				title := fmt.Sprintf("%d-%d", i, n)
				response, err := client.Get(fmt.Sprintf("http://%s/matomo.php?idsite=1&rec=1&_id=%016x&action_name=%s", addr(),
					i<<56|n, title))
				if err != nil { // not acknowledged
					s.note(title, noAnswer)
					continue
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				s.note(title, response.StatusCode)
			}
		})
	}
	return s
}

func (s *senders) note(title string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status == http.StatusOK {
		s.acked[title] = true
		return
	}
	s.other[status]++
}

func (s *senders) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acked)
}

// refused counts the answers with status 503.
func (s *senders) refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.other[http.StatusServiceUnavailable]
}

// wait waits for further acknowledged requests.
func (s *senders) wait(t *testing.T, more int) {
	t.Helper()
	from := s.count()
	testserver.Eventually(t, "requests are acknowledged", func() bool { return s.count() >= from+more })
}

func (s *senders) end() {
	s.stop.Store(true)
	s.wg.Wait()
}

// titles are the page titles in all queues, with how often each is there, and whether those of each sender are in
// order.
func titles(t *testing.T, conn redis.Conn, queues int) map[string]int {
	t.Helper()
	found := make(map[string]int)
	for _, list := range queue.Keys(0, queues) {
		elements, err := redis.ByteSlices(conn.Do("LRANGE", list, 0, -1))
		if err != nil {
			t.Fatal(err)
		}
		last := make(map[string]int)
		for _, element := range elements {
			set, err := queue.Decode(element)
			if err != nil {
				t.Fatal(err)
			}
			for _, params := range set.Requests {
				title := params.Value("action_name").Str()
				found[title]++
				var sender, n int
				if _, err := fmt.Sscanf(title, "%d-%d", &sender, &n); err != nil {
					t.Fatal(err)
				}
				key := fmt.Sprint(sender)
				if before, ok := last[key]; ok && n <= before {
					t.Errorf("%s: %s comes behind %d-%d", list, title, sender, before)
				}
				last[key] = n
			}
		}
	}
	return found
}

// wantEachOnce checks that every acknowledged request is in the queues exactly once; one that was not acknowledged may
// be there.
func wantEachOnce(t *testing.T, s *senders, found map[string]int) {
	t.Helper()
	missing, doubled := 0, 0
	for title := range s.acked {
		if found[title] == 0 {
			missing++
		}
	}
	for _, n := range found {
		if n > 1 {
			doubled++
		}
	}
	if missing > 0 || doubled > 0 {
		t.Errorf("of %d acknowledged requests %d are missing, %d are there more than once", len(s.acked), missing, doubled)
	}
	t.Logf("%d acknowledged, %d in the queues, other answers %v", len(s.acked), len(found), s.other)
}

func TestNothingIsLostWhenRedisIsKilledAndComesBack(t *testing.T) {
	server := testserver.Redis(t, testserver.WithAOF())
	spool := t.TempDir()
	c := startChild(t, server.Socket, spool, 2)
	s := startSenders(func() string { return c.addr })
	s.wait(t, 200)
	for range 2 {
		server.Kill(t)
		s.wait(t, 200) // through the spool
		server.Start(t)
		s.wait(t, 200)
	}
	s.end()
	wantDrained(t, server, spool, s)
}

func TestNothingIsLostInAFailover(t *testing.T) {
	t.Parallel()
	servers := testserver.Sentinel(t)
	spool := t.TempDir()
	c := startChild(t, servers.Name+"@"+strings.Join(servers.Addrs(), ","), spool, 2, childReplicas+"=1")
	s := startSenders(func() string { return c.addr })
	s.wait(t, 200)
	old := servers.Data[0]
	old.Kill(t)
	s.wait(t, 100) // through the spool
	servers.WaitForMasterOtherThan(t, old)
	old.Start(t) // calls itself master until the Sentinels find it; nothing is replicated before it is back
	s.wait(t, 200)
	s.end()
	wantDrained(t, servers.Data[1], spool, s)
}

// wantDrained waits until the spool is empty and checks the queues then.
func wantDrained(t *testing.T, server *testserver.RedisServer, spool string, s *senders) {
	t.Helper()
	testserver.Eventually(t, "the spool is drained", func() bool {
		segments, err := filepath.Glob(filepath.Join(spool, "*"+segmentSuffix))
		return err == nil && len(segments) == 0
	})
	wantEachOnce(t, s, titles(t, server.Dial(t), 2))
}

func TestNothingIsLostWhenServeIsKilled(t *testing.T) {
	server := testserver.Redis(t, testserver.WithAOF())
	spool := t.TempDir()
	var addr atomic.Pointer[string]
	start := func() *child {
		c := startChild(t, server.Socket, spool, 2)
		addr.Store(&c.addr)
		return c
	}
	c := start()
	s := startSenders(func() string { return *addr.Load() })
	s.wait(t, 100)
	c.end(t, syscall.SIGKILL) // with the queue there
	c = start()
	s.wait(t, 100)
	server.Kill(t)
	s.wait(t, 100)
	c.end(t, syscall.SIGKILL) // with entries in the spool
	c = start()
	s.wait(t, 100)
	server.Start(t)
	c.end(t, syscall.SIGKILL) // perhaps while they are drained
	start()
	s.wait(t, 100)
	s.end()
	wantDrained(t, server, spool, s)
}

func TestTermLetsRequestsUnderWayEnd(t *testing.T) {
	server := testserver.Redis(t)
	c := startChild(t, server.Socket, "", 2)
	s := startSenders(func() string { return c.addr })
	s.wait(t, 100)
	c.end(t, syscall.SIGTERM)
	s.end()
	if !c.ProcessState.Success() {
		t.Errorf("ended with %v", c.ProcessState)
	}
	wantEachOnce(t, s, titles(t, server.Dial(t), 2))
}

func TestWithoutSpoolAndQueueRequestsAreRefused(t *testing.T) {
	server := testserver.Redis(t)
	c := startChild(t, server.Socket, "", 1)
	server.Kill(t)
	response, err := http.Get("http://" + c.addr + "/matomo.php?idsite=1&rec=1")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q", response.StatusCode, response.Header.Get("Retry-After"))
	}
}
