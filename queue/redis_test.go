package queue

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func newRedis(t *testing.T, o RedisOptions) *Redis {
	t.Helper()
	r, err := NewRedis(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestRedisAddress(t *testing.T) {
	tests := []struct {
		host          string
		port          int
		network, addr string
		secure        bool
	}{
		{"127.0.0.1", 6379, "tcp", "127.0.0.1:6379", false},
		{"::1", 6379, "tcp", "[::1]:6379", false},
		{"[::1]", 6379, "tcp", "[::1]:6379", false},
		{"tcp://redis", 6380, "tcp", "redis:6380", false},
		{"tls://redis", 6380, "tcp", "redis:6380", true},
		{"/run/redis.sock", 6379, "unix", "/run/redis.sock", false},
		{"unix:///run/redis.sock", 6379, "unix", "/run/redis.sock", false},
		{"redis.sock", 0, "unix", "redis.sock", false},
	}
	for _, tt := range tests {
		network, addr, secure := RedisOptions{Host: tt.host, Port: tt.port}.address()
		if network != tt.network || addr != tt.addr || secure != tt.secure {
			t.Errorf("%s port %d: %s %s %v", tt.host, tt.port, network, addr, secure)
		}
	}
}

func TestRedisOptionsThatCannotWork(t *testing.T) {
	for host, want := range map[string]string{"": "no host", "a,b": "several hosts"} {
		if _, err := NewRedis(RedisOptions{Host: host, Port: 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", host, err)
		}
	}
}

func TestRedisAuthentication(t *testing.T) {
	withPassword := testserver.Redis(t, testserver.WithPassword("top secret"))
	withUser := testserver.Redis(t, testserver.WithUser("worker", "top secret", "~* +@all"))
	open := testserver.Redis(t)
	tests := []struct {
		name           string
		server         *testserver.RedisServer
		user, password string
		want           string // in the error; "" for none
	}{
		{"right password", withPassword, "", "top secret", ""},
		{"wrong password", withPassword, "", "guess", "wrong password or user"},
		{"no password", withPassword, "", "", "a password is needed (setting redisPassword)"},
		{"right user", withUser, "worker", "top secret", ""},
		{"wrong user", withUser, "boss", "top secret", "wrong password or user"},
		{"needless password", open, "", "top secret", "no password, but one is set"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRedis(t, RedisOptions{Host: tt.server.Host, Port: tt.server.Port, User: tt.user, Password: tt.password})
			_, err := r.Len(t.Context(), testList)
			if tt.want == "" {
				must(t, err)
				return
			}
			if !errors.Is(err, ErrDenied) || !strings.HasPrefix(err.Error(), "redis "+tt.server.Addr+": ") ||
				!strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v", err)
			}
			if tt.password != "" && strings.Contains(err.Error(), tt.password) {
				t.Errorf("error %q shows the password", err)
			}
		})
	}
}

func TestRedisMissingRightIsNamed(t *testing.T) {
	s := testserver.Redis(t, testserver.WithUser("worker", "pw", "~trackingQueueV1* +llen +ping"))
	r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port, User: "worker", Password: "pw"})
	_, err := r.Len(t.Context(), testList)
	must(t, err)
	_, err = r.Head(t.Context(), testList, 1)
	if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "not allowed") ||
		!strings.Contains(err.Error(), "evalsha") {
		t.Errorf("error %v", err)
	}
}

func TestRedisTLS(t *testing.T) {
	s := testserver.Redis(t, testserver.WithTLS(true))
	plain := testserver.Redis(t)
	config, err := s.TLS.ClientConfig()
	must(t, err)
	withoutClient := config.Clone()
	withoutClient.Certificates = nil
	tests := []struct {
		name string
		o    RedisOptions
		want string
	}{
		{"accepted", RedisOptions{Host: s.Host, Port: s.Port, TLS: config}, ""},
		{"unknown authority", RedisOptions{Host: "tls://" + s.Host, Port: s.Port}, "certificate not accepted"},
		// as an alert or, when the reset is quicker, as a hint
		{"no client certificate", RedisOptions{Host: s.Host, Port: s.Port, TLS: withoutClient}, "certificate"},
		{
			"plain to TLS",
			RedisOptions{Host: s.Host, Port: s.Port},
			"connection closed by the server while connecting (is TLS right",
		},
		{
			"TLS to plain",
			RedisOptions{Host: plain.Host, Port: plain.Port, TLS: config, ConnectTimeout: time.Second},
			"redis " + plain.Addr,
		},
		{"unix socket needs none", RedisOptions{Host: s.Socket, TLS: config}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newRedis(t, tt.o).Len(t.Context(), testList)
			if tt.want == "" {
				must(t, err)
			} else if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestRedisThatIsAway(t *testing.T) {
	s := testserver.Redis(t)
	r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port})
	socket := newRedis(t, RedisOptions{Host: s.Socket})
	must(t, r.Append(t.Context(), testList, []byte("x")))
	_, err := socket.Len(t.Context(), testList)
	must(t, err)
	s.Stop(t)
	calls := map[string]func() error{
		"redis " + s.Addr + ": ":   func() error { return r.Append(t.Context(), testList, []byte("x")) },
		"redis " + s.Socket + ": ": func() error { _, err := socket.Lens(t.Context(), testList); return err },
	}
	for prefix, call := range calls {
		_ = call() // may still use the connection of before
		if err := call(); !errors.Is(err, ErrUnavailable) || !strings.HasPrefix(err.Error(), prefix) {
			t.Errorf("error %v", err)
		}
	}
	err = r.Append(t.Context(), testList, []byte("x"))
	if want := "redis " + s.Addr + ": connection refused"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	s.Start(t)
	must(t, r.Append(t.Context(), testList, []byte("x")))
}

func TestRedisUnknownHost(t *testing.T) {
	_, err := newRedis(t, RedisOptions{Host: "no-such-host.invalid", Port: 6379}).Len(t.Context(), testList)
	if !errors.Is(err, ErrUnavailable) ||
		!strings.Contains(err.Error(), "host no-such-host.invalid not found (setting redisHost)") {
		t.Errorf("error %v", err)
	}
}

func TestRedisUnknownDatabase(t *testing.T) {
	s := testserver.Redis(t)
	_, err := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port, Database: 99}).Len(t.Context(), testList)
	if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "setting redisDatabase") {
		t.Errorf("error %v", err)
	}
}

func TestRedisThatDoesNotAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close() // accepts, says nothing
	r := newRedis(t, RedisOptions{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, IOTimeout: 50 * time.Millisecond})
	if _, err := r.Len(t.Context(), testList); !errors.Is(err, ErrUnavailable) ||
		!strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("error %v", err)
	}
	patient := newRedis(t, RedisOptions{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, IOTimeout: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := patient.Len(ctx, testList); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestRedisWrongTypeNamesTheCommand(t *testing.T) {
	server, database := testserver.RedisDatabase(t)
	r := newRedis(t, RedisOptions{Host: server.Host, Port: server.Port, Database: database})
	expect(t, true)(r.SetIfNotExists(t.Context(), testList, "no list", time.Minute))
	_, err := r.Len(t.Context(), testList)
	if err == nil || errors.Is(err, ErrUnavailable) || errors.Is(err, ErrDenied) ||
		!strings.Contains(err.Error(), ": LLEN: WRONGTYPE") {
		t.Errorf("error %v", err)
	}
	expect(t, true)(r.SetIfNotExists(t.Context(), OffsetKey(Key(1)), "no number", time.Minute))
	if _, err := r.Offset(t.Context(), Key(1)); err == nil || !strings.Contains(err.Error(), "is no counter") {
		t.Errorf("error %v", err)
	}
	if _, err := r.Head(t.Context(), Key(1), 1); err == nil || !strings.Contains(err.Error(), "head of "+Key(1)) {
		t.Errorf("error %v", err)
	}
}

func TestErrorsNeverShowThePassword(t *testing.T) {
	e := redisErrors{server: "redis r:1", password: "hunter2"}
	tests := map[error]string{
		redis.Error("ERR unknown command `AUTH`, with args beginning with: `hunter2`, "): "redis r:1: ERR unknown command " +
			"`AUTH`, with args beginning with: `***`, ",
		errors.New("strange hunter2"):       "redis r:1: strange ***",
		redis.Error("ERR invalid password"): "redis r:1: wrong password (ERR invalid password)",
	}
	for err, want := range tests {
		got := e.wrap(t.Context(), "", err)
		if got.Error() != want {
			t.Errorf("got %q, want %q", got, want)
		}
		for ; got != nil; got = firstCause(got) {
			if strings.Contains(got.Error(), "hunter2") {
				t.Errorf("cause %q shows the password", got)
			}
		}
	}
}

func firstCause(err error) error {
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	causes := many.Unwrap()
	return causes[len(causes)-1]
}

func TestServersThatCannotServeNow(t *testing.T) {
	for _, code := range []string{
		"LOADING", "BUSY", "MASTERDOWN", "READONLY", "TRYAGAIN", "CLUSTERDOWN", "NOREPLICAS", "MISCONF",
	} {
		reply := code + " for now"
		if text, kind := describeReply(reply); text != reply || kind != ErrUnavailable {
			t.Errorf("%s: got %q, %v; want %v", code, text, kind, ErrUnavailable)
		}
	}
}

func TestTimesOfRedis(t *testing.T) {
	for d, want := range map[time.Duration]int64{
		0: 1, time.Microsecond: 1, time.Millisecond: 1, time.Minute: 60_000,
	} {
		if got := milliseconds(d); got != want {
			t.Errorf("time to live %v: got %d ms, want %d", d, got, want)
		}
	}
	// In its last millisecond a key is still there.
	for ms, want := range map[int64]time.Duration{
		pttlStays: NoExpiry, pttlAbsent: 0, 0: time.Millisecond, 1: time.Millisecond, 60_000: time.Minute,
	} {
		if got := timeLeft(ms); got != want {
			t.Errorf("PTTL %d: got %v, want %v", ms, got, want)
		}
	}
}

// Another worker has taken more than the batch: what follows it is not at the list's beginning.
func TestNextOfABatchThatIsLongGone(t *testing.T) {
	b := openRedis(t)
	must(t, b.Append(t.Context(), testList, numbered(0, 5)...))
	head, err := b.Head(t.Context(), testList, 1)
	must(t, err)
	all, err := b.Head(t.Context(), testList, 3)
	must(t, err)
	expect(t, true)(b.RemoveFirst(t.Context(), testList, all))
	next, err := b.Next(t.Context(), testList, head, 2)
	if diff := cmp.Diff(Batch{Offset: 1}, next, cmpopts.EquateEmpty(), ignoreRows); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestDescribedErrors(t *testing.T) {
	tests := []struct {
		err  error
		want string
		kind error
	}{
		{
			redis.Error("LOADING Redis is loading the dataset in memory"), "LOADING Redis is loading the dataset in memory",
			ErrUnavailable,
		},
		{redis.Error("ERR max number of clients reached"), "ERR max number of clients reached", ErrUnavailable},
		{
			redis.Error("ERR Client sent AUTH, but no password is set"),
			"the server has no password, but one is set (setting redisPassword)", ErrDenied,
		},
		{tls.RecordHeaderError{Msg: "first record"}, "the server does not speak TLS on this port", ErrDenied},
		{&net.OpError{Op: "dial", Err: errPermission{}}, "no permission to use the unix socket", ErrDenied},
	}
	for _, tt := range tests {
		got := redisErrors{server: "redis r:1"}.wrap(t.Context(), "", tt.err)
		if got.Error() != "redis r:1: "+tt.want || !errors.Is(got, tt.kind) {
			t.Errorf("%v: got %v", tt.err, got)
		}
	}
}

type errPermission struct{}

func (errPermission) Error() string        { return "permission denied" }
func (errPermission) Is(target error) bool { return target.Error() == "permission denied" }

func TestRedisInfo(t *testing.T) {
	s := testserver.Redis(t, testserver.WithConfig("maxmemory-policy allkeys-lru"))
	info, err := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port}).Info(t.Context())
	must(t, err)
	if info.Version == "" || info.MemoryUsed <= 0 || info.MemoryPeak <= 0 {
		t.Errorf("%+v", info)
	}
	want := Info{
		Server: info.Server, Version: info.Version, Role: "master", Mode: "standalone", EvictionPolicy: "allkeys-lru",
		MemoryUsed: info.MemoryUsed, MemoryPeak: info.MemoryPeak,
	}
	if diff := cmp.Diff(want, info); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// slow takes its time to describe its servers; meanwhile leave is called.
type slow struct {
	topology
	leave func()
	end   <-chan struct{}
}

func (s slow) describe(context.Context, *Redis, *Info) {
	s.leave()
	select {
	case <-s.end:
	case <-time.After(testserver.Patience):
	}
}

func TestInfoEndsWithItsContext(t *testing.T) {
	server, database := testserver.RedisDatabase(t)
	r := newRedis(t, RedisOptions{Host: server.Host, Port: server.Port, Database: database})
	ctx, leave := context.WithCancel(t.Context())
	r.topology = slow{r.topology, leave, t.Context().Done()}
	if _, err := r.Info(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestRedisReplicaIsTold(t *testing.T) {
	master := testserver.Redis(t)
	host, port, _ := net.SplitHostPort(master.Addr)
	s := testserver.Redis(t, testserver.WithConfig("replicaof "+host+" "+port))
	r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port})
	info, err := r.Info(t.Context())
	if err != nil || info.Role != "replica" {
		t.Errorf("%+v, %v", info, err)
	}
	if err := r.Append(t.Context(), testList, []byte("x")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("writing to a replica: %v", err)
	}
}

func TestServersThatForbidInfoAndConfigAreDescribedAsFarAsPossible(t *testing.T) {
	tests := []struct {
		name, rules string
		want        Info
	}{
		{"INFO forbidden", "~* +@all -info", Info{Server: "redis", Role: "master", EvictionPolicy: "noeviction"}},
		{"CONFIG forbidden", "~* +@all -info -config", Info{Server: "redis", Role: "master", MemoryLimit: Unknown}},
		{"everything forbidden", "~* -@all +llen", Info{Server: "redis", MemoryLimit: Unknown}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testserver.Redis(t, testserver.WithUser("worker", "pw", tt.rules))
			info, err := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port, User: "worker", Password: "pw"}).Info(t.Context())
			must(t, err)
			notes := strings.Join(info.Notes, "\n")
			if !strings.Contains(notes, "INFO: not allowed: NOPERM") || strings.Contains(notes, "redis 127") {
				t.Errorf("notes %q", notes)
			}
			tt.want.MemoryUsed, tt.want.MemoryPeak = Unknown, Unknown
			info.Notes = nil
			if diff := cmp.Diff(tt.want, info); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	s := testserver.Redis(t, testserver.WithPassword("pw"))
	if _, err := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port}).Info(t.Context()); !errors.Is(err, ErrDenied) {
		t.Errorf("without password: %v", err)
	}
}

func TestValkeyIsTold(t *testing.T) {
	var info Info
	info.read(infoFields("# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\nserver_mode:standalone\r\nrole:slave\r\n"))
	if diff := cmp.Diff(Info{Server: "valkey", Version: "8.1.0", Mode: "standalone", Role: "replica"}, info); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRedisRestartIsSurvived(t *testing.T) {
	s := testserver.Redis(t, testserver.WithAOF())
	r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port})
	must(t, r.Append(t.Context(), testList, numbered(0, 3)...))
	head, err := r.Head(t.Context(), testList, 2)
	must(t, err)
	expect(t, true)(r.RemoveFirst(t.Context(), testList, head))
	s.Kill(t)
	s.Start(t)
	_, _ = r.Len(t.Context(), testList) // may still use the connection of before
	head, err = r.Head(t.Context(), testList, 2)
	if diff := cmp.Diff(Batch{Elements: numbered(2, 3), Offset: 2, Len: 1}, head, ignoreRows); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// A firewall or a proxy has dropped the connection: that is found out before a command is lost to it.
func TestConnectionThatBrokeWhileIdleIsReplaced(t *testing.T) {
	s := testserver.Redis(t)
	r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port})
	must(t, r.Append(t.Context(), testList, []byte("x")))
	if _, err := s.Dial(t).Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"); err != nil {
		t.Fatal(err)
	}
	goBy(checkIdle)
	must(t, r.Append(t.Context(), testList, []byte("y")))
}

func BenchmarkHeadAndRemove(b *testing.B) {
	for name, open := range map[string]opener{"redis": openRedis, "mysql": openMatomoDatabase} {
		b.Run(name, func(b *testing.B) { benchmarkHeadAndRemove(b, open(b)) })
	}
}

func benchmarkHeadAndRemove(b *testing.B, s subject) {
	element := make([]byte, 700)
	batch := make([][]byte, 25)
	for i := range batch {
		batch[i] = element
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Append(b.Context(), testList, batch...); err != nil {
			b.Fatal(err)
		}
		head, err := s.Head(b.Context(), testList, 25)
		if err != nil {
			b.Fatal(err)
		}
		if ok, err := s.RemoveFirst(b.Context(), testList, head); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
