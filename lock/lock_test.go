package lock_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
)

// pluginTTL is the time to live of the plugin's locks.
const pluginTTL = 60 * time.Second

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

var _ lock.Store = queue.Backend(nil)

// The Lua of the plugin's Redis backend, as it goes over the wire.
const (
	phpDelete = "if redis.call(\"GET\",KEYS[1]) == ARGV[1] then\n    return redis.call(\"DEL\",KEYS[1])\nelse\n    " +
		"return 0\nend"
	phpExpire = "if redis.call(\"GET\",KEYS[1]) == ARGV[1] then\n    return redis.call(\"EXPIRE\",KEYS[1], " +
		"ARGV[2])\nelse\n    return 0\nend"
)

// php is a PHP worker seen from the wire.
type php struct {
	t    *testing.T
	conn redis.Conn
}

func (p php) acquire(key, value string) bool {
	p.t.Helper()
	reply, err := p.conn.Do("SET", key, value, "NX", "EX", 60)
	if err != nil {
		p.t.Fatal(err)
	}
	return reply != nil
}

func (p php) eval(script, key string, args ...any) bool {
	p.t.Helper()
	ok, err := redis.Bool(p.conn.Do("EVAL", append([]any{script, 1, key}, args...)...))
	if err != nil {
		p.t.Fatal(err)
	}
	return ok
}

func (p php) get(key string) string {
	p.t.Helper()
	value, err := redis.String(p.conn.Do("GET", key))
	if err != nil && !errors.Is(err, redis.ErrNil) {
		p.t.Fatal(err)
	}
	return value
}

func (p php) secondsLeft(key string) int {
	p.t.Helper()
	n, err := redis.Int(p.conn.Do("TTL", key))
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

func setUp(t *testing.T) (*lock.Locker, php) {
	t.Helper()
	server, database := testserver.RedisDatabase(t)
	store, err := queue.NewRedis(queue.RedisOptions{Host: server.Host, Port: server.Port, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return lock.New(store, rand.Reader), php{t, server.DialDatabase(t, database)}
}

func acquire(t *testing.T, l *lock.Locker, id int) *lock.Lock {
	t.Helper()
	held, ok, err := l.Acquire(t.Context(), id, pluginTTL)
	if err != nil || !ok {
		t.Fatalf("acquire %d: %v, %v", id, ok, err)
	}
	return held
}

func TestLockIsTheOneThatPHPWouldSet(t *testing.T) {
	l, php := setUp(t)
	held := acquire(t, l, 3)
	if held.Key() != "QueuedTrackingLock3" || held.QueueID() != 3 {
		t.Errorf("key %s of queue %d", held.Key(), held.QueueID())
	}
	if value := php.get("QueuedTrackingLock3"); !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(value) {
		t.Errorf("value %q", value)
	}
	if s := php.secondsLeft("QueuedTrackingLock3"); s <= 0 || s > 60 {
		t.Errorf("%d seconds", s)
	}
}

func TestValueComesFromTheRandomSource(t *testing.T) {
	server, database := testserver.RedisDatabase(t)
	store, err := queue.NewRedis(queue.RedisOptions{Host: server.Host, Port: server.Port, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	acquire(t, lock.New(store, strings.NewReader("\x00\x01\x02\xfd\xfe\xff")), 0)
	if value := (php{t, server.DialDatabase(t, database)}).get("QueuedTrackingLock0"); value != "000102fdfeff" {
		t.Errorf("value %q", value)
	}
	broken := errors.New("no entropy")
	if _, _, err := lock.New(store, iotest.ErrReader(broken)).Acquire(t.Context(), 1, pluginTTL); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestPHPRespectsOurLock(t *testing.T) {
	l, php := setUp(t)
	held := acquire(t, l, 0)
	if php.acquire(held.Key(), "abcdef012345") {
		t.Error("PHP got the lock")
	}
	if php.eval(phpExpire, held.Key(), "abcdef012345", 600) || php.eval(phpDelete, held.Key(), "abcdef012345") {
		t.Error("PHP changed the lock")
	}
	if err := held.Extend(t.Context(), 2*time.Minute); err != nil {
		t.Error(err)
	}
	if s := php.secondsLeft(held.Key()); s <= 60 || s > 120 {
		t.Errorf("%d seconds after extending", s)
	}
	if err := held.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if !php.acquire(held.Key(), "abcdef012345") {
		t.Error("PHP does not get the lock that was released")
	}
}

func TestWeRespectPHPsLock(t *testing.T) {
	l, php := setUp(t)
	php.acquire("QueuedTrackingLock0", "abcdef012345")
	if _, ok, err := l.Acquire(t.Context(), 0, pluginTTL); ok || err != nil {
		t.Errorf("acquired %v, %v", ok, err)
	}
	if !php.eval(phpExpire, "QueuedTrackingLock0", "abcdef012345", 30) {
		t.Error("PHP cannot extend its lock")
	}
	if !php.eval(phpDelete, "QueuedTrackingLock0", "abcdef012345") {
		t.Error("PHP cannot release its lock")
	}
	acquire(t, l, 0)
}

func TestPHPScriptsWorkOnOurValue(t *testing.T) {
	l, php := setUp(t)
	held := acquire(t, l, 0)
	value := php.get(held.Key())
	if !php.eval(phpExpire, held.Key(), value, 30) || !php.eval(phpDelete, held.Key(), value) {
		t.Error("refused")
	}
	if err := held.Release(t.Context()); !errors.Is(err, lock.ErrLost) {
		t.Errorf("error %v", err)
	}
}

func TestLostLock(t *testing.T) {
	l, php := setUp(t)
	held := acquire(t, l, 0)
	if _, err := php.conn.Do("DEL", held.Key()); err != nil {
		t.Fatal(err)
	}
	if err := held.Extend(t.Context(), time.Minute); !errors.Is(err, lock.ErrLost) ||
		err.Error() != "QueuedTrackingLock0: lock lost" {
		t.Errorf("extend a lock that ran out: %v", err)
	}
	php.acquire(held.Key(), "abcdef012345")
	if err := held.Extend(t.Context(), time.Minute); !errors.Is(err, lock.ErrLost) {
		t.Errorf("extend a lock taken over: %v", err)
	}
	if err := held.Release(t.Context()); !errors.Is(err, lock.ErrLost) {
		t.Errorf("release a lock taken over: %v", err)
	}
	if php.get(held.Key()) != "abcdef012345" {
		t.Error("the other's lock is gone")
	}
}

func TestOneOfManyGetsTheLock(t *testing.T) {
	l, _ := setUp(t)
	var wg sync.WaitGroup
	got := make(chan *lock.Lock, 16)
	for range cap(got) {
		wg.Go(func() {
			held, ok, err := l.Acquire(t.Context(), 7, pluginTTL)
			if err != nil {
				t.Error(err)
			}
			if ok {
				got <- held
			}
		})
	}
	wg.Wait()
	if len(got) != 1 {
		t.Errorf("%d got the lock", len(got))
	}
}

func TestListAndUnlock(t *testing.T) {
	l, php := setUp(t)
	acquire(t, l, 4095)
	acquire(t, l, 2)
	if _, err := php.conn.Do("SET", "QueuedTrackingLock7", "stays"); err != nil {
		t.Fatal(err)
	}
	held, err := l.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range held {
		if h.Left > pluginTTL-5*time.Second && h.Left <= pluginTTL {
			held[i].Left = pluginTTL
		}
	}
	want := []lock.Held{
		{QueueID: 2, Key: "QueuedTrackingLock2", Left: pluginTTL},
		{QueueID: 7, Key: "QueuedTrackingLock7", Left: -1},
		{QueueID: 4095, Key: "QueuedTrackingLock4095", Left: pluginTTL},
	}
	if diff := cmp.Diff(want, held); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, first := range []bool{true, false} {
		if got, err := l.Unlock(t.Context(), "QueuedTrackingLock7"); got != first || err != nil {
			t.Errorf("unlock: %v, %v; want %v", got, err, first)
		}
	}
	for _, key := range []string{"trackingQueueV1", "QueuedTrackingLock4096", "QueuedTrackingLock01"} {
		if _, err := l.Unlock(t.Context(), key); err == nil || !strings.Contains(err.Error(), key+`" is no lock`) {
			t.Errorf("unlock %s: error %v", key, err)
		}
	}
}

func TestErrorsOfTheStoreAreNotTakenForALostLock(t *testing.T) {
	l, _ := setUp(t)
	held := acquire(t, l, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, acquireErr := l.Acquire(ctx, 1, pluginTTL)
	_, listErr := l.List(ctx)
	for name, err := range map[string]error{
		"extend": held.Extend(ctx, pluginTTL), "release": held.Release(ctx), "acquire": acquireErr, "list": listErr,
	} {
		if !errors.Is(err, context.Canceled) || errors.Is(err, lock.ErrLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestQueueID(t *testing.T) {
	for key, want := range map[string]int{
		"QueuedTrackingLock0": 0, "QueuedTrackingLock4095": 4095, "QueuedTrackingLock4096": -1, "QueuedTrackingLock": -1,
		"QueuedTrackingLock-1": -1, "QueuedTrackingLock01": -1, "QueuedTrackingLock+1": -1, "trackingQueueV1_1": -1, "1": -1,
	} {
		id, ok := lock.QueueID(key)
		if ok != (want >= 0) || ok && id != want {
			t.Errorf("%s: %d, %v", key, id, ok)
		}
	}
}
