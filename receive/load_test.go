package receive

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

var benchRequests = flag.Int("receive.bench", 0, "requests of the load test (make bench-serve); 0: no load test")

const benchConnections = 50

// trackingRequest is what a browser sends for a page view.
func trackingRequest(visitor int) string { return string(appendRequest(nil, visitor)) }

func appendRequest(b []byte, visitor int) []byte {
	b = append(b, "GET /matomo.php?action_name=Example%20Domain&idsite=1&rec=1&r="...)
	b = strconv.AppendInt(b, int64(visitor%1_000_000), 10)
	b = append(b,
		"&h=14&m=37&s=12&url=https%3A%2F%2Fwww.example.org%2Fproducts%2Flist%3Fpage%3D2"+
			"&urlref=https%3A%2F%2Fwww.example.org%2F&_id="...)
	b = hex.AppendEncode(b, binary.BigEndian.AppendUint64(nil, uint64(visitor)*0x9E3779B97F4A7C15))
	b = append(b,
		"&_idn=0&send_image=1&_refts=0&pv_id=Hs4jdK&pf_net=12&pf_srv=34&pf_tfr=5&pf_dm1=120&uadata=%7B%7D&pdf=1"+
			"&cookie=1&res=1920x1080 HTTP/1.1\r\n"+
			"Host: stats.example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"+
			"Accept: image/avif,image/webp,*/*\r\nAccept-Language: en-GB,en;q=0.8\r\nAccept-Encoding: gzip, deflate, br\r\n"+
			"Referer: https://www.example.org/products/list?page=2\r\nX-Forwarded-For: 198.51.100."...)
	b = strconv.AppendInt(b, int64(visitor%250), 10)
	return append(b, "\r\n\r\n"...)
}

// load sends requests over a number of connections and returns the time of each. With a rate above 0 (requests per
// second) requests are sent on a schedule, and times count from when a request was due.
func load(
	t testing.TB, addr string, connections, requests int, rate float64,
) (took time.Duration, times []time.Duration) {
	t.Helper()
	var sent atomic.Int64
	perConnection := make([][]time.Duration, connections)
	var wg sync.WaitGroup
	started := time.Now()
	for i := range connections {
		wg.Go(func() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			buffer := make([]byte, 0, 2048)
			for {
				n := sent.Add(1)
				if n > int64(requests) {
					return
				}
				due := time.Now()
				if rate > 0 {
					due = started.Add(time.Duration(float64(n) / rate * float64(time.Second)))
					time.Sleep(time.Until(due))
				}
				if err := exchange(conn, appendRequest(buffer, int(n))); err != nil {
					t.Error(err)
					return
				}
				perConnection[i] = append(perConnection[i], time.Since(due))
			}
		})
	}
	wg.Wait()
	took = time.Since(started)
	times = slices.Concat(perConnection...)
	slices.Sort(times)
	return took, times
}

// exchange sends a request and reads an answer, which has to be the image and goes into the request's buffer.
func exchange(conn net.Conn, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	answer := request[:0]
	for {
		n, err := conn.Read(answer[len(answer):cap(answer)])
		if answer = answer[:len(answer)+n]; bytes.HasSuffix(answer, []byte("\r\n\r\n"+transparentImage)) {
			break
		}
		if err != nil || len(answer) == cap(answer) {
			return fmt.Errorf("answer %q: %w", answer, err)
		}
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 OK\r\n")) {
		return fmt.Errorf("answer %q", answer)
	}
	return nil
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Round(10 * time.Microsecond)
}

// TestLoad is "make bench-serve": how many requests per second, how fast, in how much memory, beside what Redis alone
// can take.
func TestLoad(t *testing.T) {
	if *benchRequests == 0 {
		t.Skip("make bench-serve runs it")
	}
	server := testserver.Redis(t)
	c := startChild(t, server.Addr, t.TempDir(), 1)
	conn := server.Dial(t)
	load(t, c.addr, benchConnections, 20_000, 0) // warm up
	element := oneElement(t, conn)
	empty := func() {
		if _, err := conn.Do("FLUSHALL"); err != nil {
			t.Fatal(err)
		}
	}
	empty()
	ceiling := redisBenchmark(t, server, len(element))
	empty()
	before, used := c.memoryKiB(t, "VmRSS"), processorTimes(t, c, conn)
	took, times := load(t, c.addr, benchConnections, *benchRequests, 0)
	reached := float64(len(times)) / took.Seconds()
	fmt.Printf("serve:           %.0f requests/s, p50 %v, p99 %v, p99.9 %v\n", reached, quantile(times, 0.5),
		quantile(times, 0.99), quantile(times, 0.999))
	now := processorTimes(t, c, conn)
	for i := range now {
		now[i] = ((now[i] - used[i]) / time.Duration(len(times))).Round(100 * time.Nanosecond)
	}
	fmt.Printf("processor time:  serve %v, Redis %v, load generator %v per request\n", now[0], now[1], now[2])
	fmt.Printf("memory:          %d MiB before, %d MiB after %d requests\n", before>>10, c.memoryKiB(t, "VmRSS")>>10,
		len(times))
	empty()
	after := redisBenchmark(t, server, len(element)) // shared machines are not always equally fast
	empty()
	fmt.Printf("redis-benchmark: %.0f and %.0f rpush/s of %d bytes, before and after; serve reaches %.2f of their mean\n",
		ceiling, after, len(element), reached/((ceiling+after)/2))
	_, times = load(t, c.addr, benchConnections, *benchRequests/4, reached/2)
	fmt.Printf("half load:       p50 %v, p99 %v, p99.9 %v\n", quantile(times, 0.5), quantile(times, 0.99),
		quantile(times, 0.999))
	c.end(t, syscall.SIGTERM)
}

// processorTimes are those of the server, of Redis and of the load generator.
func processorTimes(t *testing.T, c *child, conn redis.Conn) (used [3]time.Duration) {
	t.Helper()
	info, err := redis.String(conn.Do("INFO", "server"))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	for line := range strings.Lines(info) {
		if _, err := fmt.Sscanf(line, "process_id:%d", &pid); err == nil {
			break
		}
	}
	return [3]time.Duration{processorTime(t, c.Process.Pid), processorTime(t, pid), processorTime(t, 0)}
}

func oneElement(t *testing.T, conn redis.Conn) []byte {
	t.Helper()
	v, err := conn.Do("LINDEX", queue.Key(0), 0)
	if err != nil {
		t.Fatal(err)
	}
	return v.([]byte)
}

func redisBenchmark(t *testing.T, server *testserver.RedisServer, size int) float64 {
	t.Helper()
	out, err := exec.Command("redis-benchmark", "-p", strconv.Itoa(server.Port), "-t", "rpush", "-n", "200000", "-c",
		strconv.Itoa(benchConnections), "-d", strconv.Itoa(size), "-q").Output()
	if err != nil {
		t.Skip("redis-benchmark (package redis-tools):", err)
	}
	figures := regexp.MustCompile(`([0-9.]+) requests per second`).FindAllStringSubmatch(strings.ReplaceAll(string(out),
		"\r", "\n"), -1)
	if len(figures) == 0 {
		t.Fatalf("redis-benchmark says %q", out)
	}
	rate, err := strconv.ParseFloat(figures[len(figures)-1][1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return rate
}
