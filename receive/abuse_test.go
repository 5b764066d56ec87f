package receive

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// attack is something that must neither take the service down nor need much memory.
type attack struct {
	name   string
	send   func(t *testing.T, conn net.Conn)
	status int
	cut    bool // the connection may be closed before the answer is read
}

func TestAbuseLeavesOthersAlone(t *testing.T) {
	server := testserver.Redis(t)
	c := startChild(t, server.Socket, "", 1)
	hold(t, c, 500, "GET /matomo.php?idsite=1 HTTP/1.1\r\nHost: x\r\nX-A") // slowloris: headers that never end
	hold(t, c, 100, "GET /matomo.php?idsite=1 HTTP/1.1\r\nHost: x\r\n"+strings.Repeat("X-A: b\r\n", 7000))
	hold(t, c, 100, post(8<<20, `{"requests":["?idsite=1`)) // bodies that never end
	others := startSenders(func() string { return c.addr })
	others.wait(t, 100)
	say := func(text string) func(*testing.T, net.Conn) {
		return func(t *testing.T, conn net.Conn) {
			_, _ = io.WriteString(conn, text) // the server may hang up in the middle
		}
	}
	nested := `{"requests":[` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `]}`
	many := `{"requests":[` + strings.Repeat(`"?idsite=1",`, 5000) + `"?idsite=1"]}`
	values := `{"requests":[[` + strings.Repeat("0,", 2_000_000) + "0]]}"
	for _, a := range []attack{
		{"100 MB announced", say(post(100<<20, "{")), http.StatusRequestEntityTooLarge, false},
		{"endless chunks", func(t *testing.T, conn net.Conn) {
			_, _ = io.WriteString(conn, "POST /matomo.php HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
			chunk := "100000\r\n" + strings.Repeat("x", 1<<20) + "\r\n"
			for range 100 {
				if _, err := io.WriteString(conn, chunk); err != nil {
					return
				}
			}
		}, http.StatusRequestEntityTooLarge, true},
		{"malformed JSON", say(post(20, `{"a":1,"requests":[}`)), http.StatusOK, false},
		{"10,000 brackets", say(post(len(nested), nested)), http.StatusOK, false},
		{
			"10,000 brackets in a name",
			say("GET /matomo.php?idsite=1&a" + strings.Repeat("[x]", 3000) + "=1 HTTP/1.1\r\nHost: x\r\n\r\n"), http.StatusOK,
			false,
		},
		{"too many requests", say(post(len(many), many)), http.StatusRequestEntityTooLarge, false},
		{"millions of values", say(post(len(values), values)), http.StatusRequestEntityTooLarge, false},
		{
			"long header", say("GET /matomo.php?a=1 HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"),
			http.StatusRequestHeaderFieldsTooLarge, false,
		},
		{
			"many headers", say("GET /matomo.php?a=1 HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: b\r\n", 100_000) + "\r\n"),
			http.StatusRequestHeaderFieldsTooLarge, false,
		},
		{"no HTTP", say("\x16\x03\x01\x02\x00\r\n\r\n"), http.StatusBadRequest, false},
	} {
		t.Run(a.name, func(t *testing.T) {
			conn := dial(t, c)
			go a.send(t, conn)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err == nil {
				response.Body.Close()
			}
			if err == nil && response.StatusCode != a.status || err != nil && !a.cut {
				t.Errorf("answer %v, %v, want status %d", response, err, a.status)
			}
		})
	}
	sendLarge(t, c, 40)
	others.wait(t, 100)
	others.end()
	if len(others.other) > 0 {
		t.Errorf("of others %d were served, and answers were %v", len(others.acked), others.other)
	}
	t.Logf("%d requests of others were served, %d MiB were in use", len(others.acked), c.memoryKiB(t, "VmHWM")>>10)
	if kib := c.memoryKiB(t, "VmHWM"); kib > memoryBound {
		t.Errorf("%d MiB were in use", kib>>10)
	}
}

func post(length int, body string) string {
	return fmt.Sprintf("POST /matomo.php HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "+
		"%d\r\n\r\n%s", length, body)
}

// hold opens connections, sends a beginning on each and keeps them open.
func hold(t *testing.T, c *child, connections int, beginning string) {
	t.Helper()
	for range connections {
		if _, err := io.WriteString(dial(t, c), beginning); err != nil {
			t.Fatal(err)
		}
	}
}

// sendLarge sends bulk requests as long as they may be, at the same time. Each is taken, or refused for now.
func sendLarge(t *testing.T, c *child, clients int) {
	t.Helper()
	request := `"?idsite=1&action_name=` + strings.Repeat("%C3%A4", 260) + `"`
	body := `{"requests":[` + strings.Repeat(request+",", 4999) + request + `]}`
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			conn := dial(t, c)
			go func() { _, _ = io.WriteString(conn, post(len(body), body)) }() // the server may hang up in the middle
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				return
			}
			defer response.Body.Close()
			if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("large body: status %d", response.StatusCode)
			}
		})
	}
	wg.Wait()
}

func dial(t *testing.T, c *child) net.Conn { return dialAt(t, c.addr) }
