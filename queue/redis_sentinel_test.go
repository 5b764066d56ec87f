package queue

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

const lockTime = time.Minute

// nobody is an address at which no server listens.
const nobody = "127.0.0.1:1"

func TestSentinelsAreAskedInTurn(t *testing.T) {
	t.Parallel()
	s := testserver.Sentinel(t)
	addresses := []string{nobody, nobody, s.Sentinels[2].Addr}
	b := opened(t)(NewRedisSentinel(RedisOptions{}, s.Name, addresses))
	must(t, b.Append(t.Context(), testList, []byte("x")))

	for _, sentinel := range s.Sentinels {
		sentinel.Stop(t)
	}
	b.Backend.(*Redis).topology.lost()
	must(t, b.Append(t.Context(), testList, []byte("y"))) // the connection that there is stays good
	_, err := opened(t)(NewRedisSentinel(RedisOptions{}, s.Name, addresses)).Len(t.Context(), testList)
	if want := "redis master mymaster: no master is named: sentinel 127.0.0.1:1: connection refused; sentinel"; !errors.Is(err, ErrUnavailable) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v", err)
	}
}

// otherMasterNamed lets the first Sentinel name another master from now on.
func otherMasterNamed(t *testing.T, s *testserver.SentinelServers) *testserver.RedisServer {
	t.Helper()
	other, admin := testserver.Redis(t), s.Sentinels[0].Dial(t)
	for _, args := range [][]any{{"REMOVE", s.Name}, {"MONITOR", s.Name, other.Host, other.Port, 1}} {
		if _, err := admin.Do("SENTINEL", args...); err != nil {
			t.Fatal(err)
		}
	}
	return other
}

// heldClock is a clock that stands still until it is moved on. A call that its caller has left may still look at it.
type heldClock struct{ now atomic.Pointer[time.Time] }

func holdClock() *heldClock {
	c, now := &heldClock{}, time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	c.now.Store(&now)
	return c
}

func (c *heldClock) time() time.Time { return *c.now.Load() }

func (c *heldClock) pass(d time.Duration) {
	now := c.time().Add(d)
	c.now.Store(&now)
}

func TestSentinelsAreAskedOnceASecond(t *testing.T) {
	t.Parallel()
	s, clock := testserver.Sentinel(t), holdClock()
	b := opened(t)(NewRedisSentinel(RedisOptions{Clock: clock.time}, s.Name, s.Addrs()[:1]))
	must(t, b.Append(t.Context(), testList, []byte("1")))
	other := otherMasterNamed(t, s)
	clock.pass(askEvery - 1)
	must(t, b.Append(t.Context(), testList, []byte("2")))
	clock.pass(1)
	must(t, b.Append(t.Context(), testList, []byte("3")))
	wantOn(t, s.Data[0], "1", "2")
	wantOn(t, other, "3")
}

func TestCallerWhoLeavesTakesTheQuestionToTheSentinelsAlong(t *testing.T) {
	t.Parallel()
	s, clock := testserver.Sentinel(t), holdClock()
	b := opened(t)(NewRedisSentinel(RedisOptions{Clock: clock.time}, s.Name, s.Addrs()[:1]))
	must(t, b.Append(t.Context(), testList, []byte("x")))
	other := otherMasterNamed(t, s)
	clock.pass(askEvery)
	left, leave := context.WithCancel(t.Context())
	leave()
	asked := b.Backend.(*Redis).topology.(*sentinels)
	if got := asked.current(left); got != s.Data[0].Addr {
		t.Errorf("master after leaving: %s, want %s", got, s.Data[0].Addr)
	}
	if got := asked.current(t.Context()); got != other.Addr { // asks although no time has gone by
		t.Errorf("master for the next caller: %s, want %s", got, other.Addr)
	}
}

func TestMasterThatSentinelsDoNotKnow(t *testing.T) {
	t.Parallel()
	s := testserver.Sentinel(t)
	_, err := opened(t)(NewRedisSentinel(RedisOptions{}, "theirs", s.Addrs()[:1])).Len(t.Context(), testList)
	if !errors.Is(err, ErrDenied) ||
		!strings.Contains(err.Error(), "knows no master theirs (setting sentinelMasterName)") {
		t.Errorf("error %v", err)
	}
}

// While one of the Sentinels is only away, asking again may help, whatever the others say.
func TestOneSentinelThatIsAwayMakesTheErrorOneForLater(t *testing.T) {
	away, denied := io.EOF, redis.Error("NOAUTH Authentication required.")
	for _, tt := range []struct {
		errs []error
		want error
	}{
		{[]error{denied, denied}, ErrDenied},
		{[]error{away, denied}, ErrUnavailable},
		{[]error{denied, away}, ErrUnavailable},
		{[]error{redis.ErrNil, away}, ErrUnavailable},
	} {
		got := &sentinelError{}
		for _, err := range tt.errs {
			got.add(nobody, "m", err)
		}
		if got.kind != tt.want {
			t.Errorf("%v: got %v, want %v", tt.errs, got.kind, tt.want)
		}
	}
}

func TestSentinelOptionsThatCannotWork(t *testing.T) {
	if _, err := NewRedisSentinel(RedisOptions{}, "", []string{nobody}); err == nil ||
		!strings.Contains(err.Error(), "sentinelMasterName") {
		t.Errorf("error %v", err)
	}
	if _, err := NewRedisSentinel(RedisOptions{}, "m", nil); err == nil || !strings.Contains(err.Error(), "redisHost") {
		t.Errorf("error %v", err)
	}
}

func TestSentinelsWithTLSAndPasswords(t *testing.T) {
	t.Parallel()
	s := testserver.Sentinel(t, testserver.WithTLS(true), testserver.WithPassword("top secret"))
	for _, sentinel := range s.Sentinels {
		if _, err := sentinel.Dial(t).Do("ACL", "SETUSER", "default", ">top secret", "resetpass", ">top secret"); err != nil {
			t.Fatal(err)
		}
	}
	config, err := s.Data[0].TLS.ClientConfig()
	must(t, err)
	b := opened(t)(NewRedisSentinel(RedisOptions{Password: "top secret", TLS: config}, s.Name, s.Addrs()))
	must(t, b.Append(t.Context(), testList, []byte("x")))

	_, err = opened(t)(NewRedisSentinel(RedisOptions{Password: "guess", TLS: config}, s.Name, s.Addrs())).Len(t.Context(),
		testList)
	if !errors.Is(err, ErrDenied) || strings.Contains(err.Error(), "guess") {
		t.Errorf("error %v", err)
	}
}

// With the plugin's setting usePasswordForSentinelInstances the Sentinels are logged in to first; without, only where
// they insist.
func TestSentinelsAreLoggedInTo(t *testing.T) {
	t.Parallel()
	s := testserver.Sentinel(t)
	admin := s.Sentinels[0].Dial(t)
	command := func(args ...any) {
		t.Helper()
		if _, err := admin.Do("ACL", args...); err != nil {
			t.Fatal(err)
		}
	}
	rights := []any{"-@all", "+ping", "+sentinel|get-master-addr-by-name"}
	command("SETUSER", "admin", "on", ">admin", "+@all")
	command(append([]any{"SETUSER", "matomo", "on", ">secret"}, rights...)...)
	if _, err := admin.Do("AUTH", "admin", "admin"); err != nil {
		t.Fatal(err)
	}
	named := RedisOptions{User: "matomo", Password: "secret"}
	tests := []struct {
		name, defaultUser string // rules of the user that needs no login
		o                 RedisOptions
		login             bool
		want              string // part of the error, "" for none
	}{
		{"open", "on nopass +@all", RedisOptions{Password: "secret"}, false, ""},
		{"open, all the same", "on nopass +@all", RedisOptions{Password: "secret"}, true, ""},
		{"open, no password", "on nopass +@all", RedisOptions{}, true, ""},
		{"password, asked for", "on resetpass >secret +@all", RedisOptions{Password: "secret"}, false, ""},
		{"password", "on resetpass >secret +@all", RedisOptions{Password: "secret"}, true, ""},
		{"no password where one is needed", "on resetpass >secret +@all", RedisOptions{}, true, "a password is needed"},
		{"wrong password", "on resetpass >secret +@all", RedisOptions{Password: "guess"}, true, "wrong password or user"},
		{"user, asked for", "off", named, false, ""},
		{"user", "off", named, true, ""},
		{"user of another name", "off", RedisOptions{User: "eve", Password: "secret"}, true, "wrong password or user"},
		{"strangers may only ping", "on nopass -@all +ping", named, false, "NOPERM"},
		{"strangers may only ping, but a user more", "on nopass -@all +ping", named, true, ""},
	}
	for _, tt := range tests {
		command(append([]any{"SETUSER", "default"}, fields(tt.defaultUser)...)...)
		tt.o.SentinelLogin = tt.login
		named, err := (&sentinels{options: tt.o, master: s.Name, addresses: s.Addrs()[:1]}).ask(t.Context())
		if tt.want == "" && (err != nil || named != s.Data[0].Addr) {
			t.Errorf("%s: master %s, %v", tt.name, named, err)
		}
		if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) ||
			strings.Contains(err.Error(), "guess")) {
			t.Errorf("%s: error %v, want %s", tt.name, err, tt.want)
		}
	}
}

// The Sentinels have not seen yet that the server they name is a replica now.
func TestServerThatIsNoMasterIsNotUsed(t *testing.T) {
	t.Parallel()
	s := testserver.Sentinel(t)
	r := opened(t)(NewRedisSentinel(RedisOptions{}, s.Name, s.Addrs()))
	if _, err := s.Data[0].Dial(t).Do("REPLICAOF", "127.0.0.1", "1"); err != nil {
		t.Fatal(err)
	}
	_, err := r.Len(t.Context(), testList)
	if !errors.Is(err, ErrUnavailable) ||
		!strings.HasSuffix(err.Error(), s.Data[0].Addr+": server is no master any more") {
		t.Errorf("error %v", err)
	}
}

func TestServerThatMayNotTellItsRoleIsBelievedToBeTheMaster(t *testing.T) {
	t.Parallel()
	s := testserver.Sentinel(t, testserver.WithUser("matomo", "secret", documentedRules(t)+" -role -ping"))
	r := opened(t)(NewRedisSentinel(RedisOptions{User: "matomo", Password: "secret"}, s.Name, s.Addrs()))
	must(t, r.Append(t.Context(), testList, []byte("x")))
}

// The connections stay open here: the old master lives on, as a replica.
func TestMasterThatIsDemotedIsLeft(t *testing.T) {
	t.Parallel()
	s := testserver.Sentinel(t)
	r := opened(t)(NewRedisSentinel(RedisOptions{}, s.Name, s.Addrs())).Backend.(*Redis)
	must(t, r.Append(t.Context(), testList, []byte("before")))
	now := s.FailOver(t)
	r.topology.lost() // a second may not have passed yet
	must(t, r.Append(t.Context(), testList, []byte("after")))
	got, err := redis.Strings(now.Dial(t).Do("LRANGE", testList, 0, -1))
	if want := []string{"before", "after"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("new master has %q, %v", got, err)
	}
}

func TestConnectionToADemotedMasterIsNotUsedAgain(t *testing.T) {
	s := testserver.Redis(t)
	r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port})
	connection := func() int {
		t.Helper()
		id, err := redis.Int(r.ask(t.Context(), "CLIENT", "ID"))
		must(t, err)
		return id
	}
	before, admin := connection(), s.Dial(t)
	if _, err := admin.Do("REPLICAOF", "127.0.0.1", "1"); err != nil {
		t.Fatal(err)
	}
	if err := r.Append(t.Context(), testList, []byte("y")); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("error %v, want %v", err, ErrUnavailable)
	}
	if _, err := admin.Do("REPLICAOF", "NO", "ONE"); err != nil {
		t.Fatal(err)
	}
	if after := connection(); after == before {
		t.Errorf("connection %d is used again", after)
	}
}

func TestSentinelInfoNamesTheServers(t *testing.T) {
	t.Parallel()
	s := testserver.Sentinel(t)
	b := opened(t)(NewRedisSentinel(RedisOptions{}, s.Name, append([]string{nobody}, s.Addrs()...)))
	info, err := b.Info(t.Context())
	must(t, err)
	want := []string{
		s.Data[0].Addr + " master mymaster", s.Data[1].Addr + " replica", nobody + " sentinel, connection refused",
		s.Sentinels[0].Addr + " sentinel, says " + s.Data[0].Addr,
	}
	if info.Mode != "sentinel" || info.Role != "master" || len(info.Nodes) < 4 || !slices.Equal(info.Nodes[:4], want) {
		t.Errorf("%+v", info)
	}
}
