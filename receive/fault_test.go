package receive

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/queuedtracking/queuedtracking/internal/testserver"
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

const senderCount = 8

func startSenders(addr func() string) *senders {
	s := &senders{acked: make(map[string]bool), other: make(map[int]int)}
	for i := range senderCount {
		s.wg.Go(func() {
			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := 0; !s.stop.Load(); n++ {
				title := fmt.Sprintf("%d-%d", i, n)
				response, err := client.Get(fmt.Sprintf("http://%s/matomo.php?idsite=1&rec=1&_id=%016x&action_name=%s", addr(), i<<56|n, title))
				if err != nil {
					continue // not acknowledged
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
	until(t, "requests are acknowledged", func() bool { return s.count() >= from+more })
}

func (s *senders) end() {
	s.stop.Store(true)
	s.wg.Wait()
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// titles are the page titles in all queues, with how often each is there, and whether those of each sender are in order.
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

// wantEachOnce checks that every acknowledged request is in the queues exactly once; one that was not acknowledged may be there.
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
	until(t, "the spool is drained", func() bool {
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

// attack is something that must neither take the service down nor need much memory.
type attack struct {
	name   string
	send   func(t *testing.T, conn net.Conn)
	status int // 0: any, or a closed connection
}

func TestAbuseLeavesOthersAlone(t *testing.T) {
	server := testserver.Redis(t)
	c := startChild(t, server.Socket, "", 1)
	post := func(length int, body string) string {
		return fmt.Sprintf("POST /matomo.php HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length, body)
	}
	say := func(text string) func(*testing.T, net.Conn) {
		return func(t *testing.T, conn net.Conn) {
			_, _ = io.WriteString(conn, text) // the server may hang up in the middle
		}
	}
	nested := `{"requests":[` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `]}`
	many := `{"requests":[` + strings.Repeat(`"?idsite=1",`, 5000) + `"?idsite=1"]}`
	values := `{"requests":[[` + strings.Repeat("0,", 2_000_000) + "0]]}"
	for _, a := range []attack{
		{"100 MB announced", say(post(100<<20, "")), http.StatusRequestEntityTooLarge},
		{"endless chunks", func(t *testing.T, conn net.Conn) {
			_, _ = io.WriteString(conn, "POST /matomo.php HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
			chunk := "100000\r\n" + strings.Repeat("x", 1<<20) + "\r\n"
			for range 100 {
				if _, err := io.WriteString(conn, chunk); err != nil {
					return
				}
			}
		}, 0},
		{"malformed JSON", say(post(20, `{"a":1,"requests":[}`)), http.StatusOK},
		{"10,000 brackets", say(post(len(nested), nested)), http.StatusOK},
		{"10,000 brackets in a name", say("GET /matomo.php?idsite=1&a" + strings.Repeat("[x]", 3000) + "=1 HTTP/1.1\r\nHost: x\r\n\r\n"), http.StatusOK},
		{"too many requests", say(post(len(many), many)), http.StatusRequestEntityTooLarge},
		{"millions of values", say(post(len(values), values)), http.StatusRequestEntityTooLarge},
		{"long header", say("GET /matomo.php?a=1 HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"), http.StatusRequestHeaderFieldsTooLarge},
		{"many headers", say("GET /matomo.php?a=1 HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: b\r\n", 100_000) + "\r\n"), http.StatusRequestHeaderFieldsTooLarge},
		{"no HTTP", say("\x16\x03\x01\x02\x00\r\n\r\n"), http.StatusBadRequest},
	} {
		t.Run(a.name, func(t *testing.T) {
			conn := dial(t, c)
			go a.send(t, conn)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err == nil {
				response.Body.Close()
			}
			if a.status != 0 && (err != nil || response.StatusCode != a.status) {
				t.Errorf("answer %v, %v, want status %d", response, err, a.status)
			}
		})
	}
	slow := make([]net.Conn, 500) // slowloris: headers that never end
	for i := range slow {
		slow[i] = dial(t, c)
		if _, err := io.WriteString(slow[i], "GET /matomo.php?idsite=1 HTTP/1.1\r\nHost: x\r\nX-A"); err != nil {
			t.Fatal(err)
		}
	}
	if _, times := load(t, c.addr, 4, 500, 0); len(times) != 500 {
		t.Errorf("%d of 500 requests were served beside the abuse", len(times))
	}
	if kib := c.residentKiB(t); kib > 256<<10 {
		t.Errorf("%d MiB are in use", kib>>10)
	}
}

func dial(t *testing.T, c *child) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}
