package queue

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// fullSubject is a backend on servers that begin to be full when fill is called.
type fullSubject struct {
	*Redis
	servers []*testserver.RedisServer
}

func (s fullSubject) fill(t *testing.T) {
	t.Helper()
	for _, server := range s.servers {
		server.Fill(t)
	}
}

// fullKinds are the kinds of Redis whose memory can be full.
var fullKinds = []struct {
	name string
	open func(t *testing.T) fullSubject
}{
	{"stand-alone", func(t *testing.T) fullSubject {
		s := testserver.Redis(t)
		return fullSubject{newRedis(t, RedisOptions{Host: s.Host, Port: s.Port}), []*testserver.RedisServer{s}}
	}},
	{"with the documented rights", func(t *testing.T) fullSubject {
		s := testserver.Redis(t, testserver.WithUser("matomo", "secret", documentedRules(t)))
		r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port, User: "matomo", Password: "secret"})
		return fullSubject{r, []*testserver.RedisServer{s}}
	}},
	{"without EVALSHA", func(t *testing.T) fullSubject {
		s := testserver.Redis(t, testserver.WithConfig(`rename-command EVALSHA ""`))
		return fullSubject{newRedis(t, RedisOptions{Host: s.Host, Port: s.Port}), []*testserver.RedisServer{s}}
	}},
	{"sentinel", func(t *testing.T) fullSubject {
		s := testserver.Sentinel(t)
		b := opened(t)(NewRedisSentinel(RedisOptions{}, s.Name, s.Addrs()))
		return fullSubject{b.Backend.(*Redis), s.Data}
	}},
	{"cluster", func(t *testing.T) fullSubject {
		s := testserver.Cluster(t)
		b := opened(t)(NewRedisCluster(RedisOptions{}, s.Addrs()))
		return fullSubject{b.Backend.(*Redis), s.Nodes}
	}},
}

// What empties the queues works, what fills them is refused with the reason.
func TestFullRedisCanBeEmptied(t *testing.T) {
	for _, kind := range fullKinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			b, ctx := kind.open(t), t.Context()
			must(t, b.Append(ctx, testList, numbered(0, 40)...))
			must(t, b.Append(ctx, FailedKey(testList), numbered(40, 41)...))
			b.fill(t)

			err := b.Append(ctx, testList, []byte("more"))
			told := err != nil && strings.Contains(err.Error(), "its memory is full (used_memory ")
			if !errors.Is(err, ErrFull) || errors.Is(err, ErrUnavailable) || !told {
				t.Errorf("append: %v", err)
			}
			mark := Mark{Key: movedKey(testList, 9), Value: "1", TTL: time.Hour}
			if err := b.AppendMarked(ctx, testList, mark, []byte("more")); !errors.Is(err, ErrFull) {
				t.Errorf("append with a mark: %v", err)
			}

			expect(t, true)(b.SetIfNotExists(ctx, testKey, "mine", time.Hour))
			expect(t, false)(b.SetIfNotExists(ctx, testKey, "other", time.Minute))
			if value, ok, err := b.Get(ctx, testKey); value != "mine" || !ok || err != nil {
				t.Errorf("lock %q, %v, %v", value, ok, err)
			}
			if left, err := b.TTLs(ctx, testKey); err != nil || left[0] <= time.Minute || left[0] > time.Hour {
				t.Errorf("time left %v, %v", left, err)
			}
			expect(t, true)(b.ExpireIfValue(ctx, testKey, "mine", time.Minute))

			head, err := b.Head(ctx, testList, 10)
			must(t, err)
			mark.WhenFull = true
			must(t, b.AppendMarked(ctx, FailedKey(testList), mark, head.Elements[0]))
			if value, _, err := b.Get(ctx, mark.Key); value != "1" || err != nil {
				t.Errorf("mark %q, %v", value, err)
			}
			expect(t, true)(b.RemoveFirst(ctx, testList, head))
			if n, err := b.Offset(ctx, testList); n != 10 || err != nil {
				t.Errorf("offset %d, %v", n, err)
			}
			expect(t, true)(b.Move(ctx, FailedKey(testList), testList, numbered(40, 41)[0], []byte("again")))
			expect(t, true)(b.DeleteIfValue(ctx, testKey, "mine"))
			expectList(t, subject{Backend: b}, testList, append(numbered(10, 40), []byte("again"))...)
			expectList(t, subject{Backend: b}, FailedKey(testList), numbered(0, 1)...)
		})
	}
}

// While PHP, which sets its lock with EX, has the queue nobody else gets it.
func TestFullRedisKeepsThePluginsLock(t *testing.T) {
	s := testserver.Redis(t)
	_, err := s.Dial(t).Do("SET", testKey, "of PHP", "NX", "EX", 600)
	must(t, err)
	s.Fill(t)
	r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port})
	expect(t, false)(r.SetIfNotExists(t.Context(), testKey, "mine", time.Hour))
	if left, err := r.TTLs(t.Context(), testKey); err != nil || left[0] > 600*time.Second {
		t.Errorf("time left %v, %v", left, err)
	}
}

func TestQueueLeftBehindIsMovedInFullRedis(t *testing.T) {
	s := testserver.Redis(t)
	r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port})
	must(t, r.Append(t.Context(), Key(3), numbered(0, 5)...))
	s.Fill(t)
	keep := func(context.Context) error { return nil }
	moved, err := newManager(t, r, 1).Move(t.Context(), 3, defaultVisitor, keep)
	if moved != 5 || err != nil {
		t.Errorf("moved %d, %v", moved, err)
	}
	expectList(t, subject{Backend: r}, Key(0), numbered(0, 5)...)
}

// A server that forbids questions about its memory is told to be full all the same.
func TestFullRedisWithoutInfo(t *testing.T) {
	full := testserver.WithConfig("maxmemory 1", "maxmemory-policy noeviction")
	for want, rules := range map[string]string{
		"its memory is full (maxmemory 0.0 MiB): raise maxmemory": "~* +@all -info",
		"its memory is full: raise maxmemory":                     "~* +@all -info -config",
	} {
		s := testserver.Redis(t, full, testserver.WithUser("worker", "pw", rules))
		r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port, User: "worker", Password: "pw"})
		if err := r.Append(t.Context(), testList, []byte("x")); !errors.Is(err, ErrFull) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", rules, err)
		}
	}
}

// Redis up to 6 hides the error of a command in that of the script.
func TestErrorsInScriptsOfOldRedis(t *testing.T) {
	const prefix = "ERR Error running script (call to f_0123456789abcdef): @user_script:4: "
	for reply, want := range map[string]error{
		prefix + "@user_script: 4: -OOM command not allowed when used memory > 'maxmemory'.  ": ErrFull,
		prefix + "@user_script: 4: -READONLY You can't write against a read only replica.  ":   ErrUnavailable,
		prefix + "@user_script: 4: -NOREPLICAS Not enough good replicas to write.  ":           ErrUnavailable,
		prefix + "@user_script: 4: -NOPERM this user has no permissions to run 'ltrim'.  ":     ErrDenied,
		prefix + "WRONGTYPE Operation against a key holding the wrong kind of value ":          nil,
	} {
		conn := &masterConn{Conn: answering{redis.Error(reply)}}
		_, err := conn.Do("EVAL")
		_, kind := describeReply(err.Error())
		if kind != want || strings.Contains(err.Error(), "user_script") {
			t.Errorf("%s\nis %v, kind %v, want %v", reply, err, kind, want)
		}
		if demoted := conn.demoted != nil; demoted != strings.Contains(reply, "READONLY") {
			t.Errorf("%s: demoted %v", reply, demoted)
		}
	}
}

// answering is a connection to a server that gives one answer.
type answering struct{ err error }

func (a answering) Do(string, ...any) (any, error) { return nil, a.err }
func (a answering) Send(string, ...any) error      { return nil }
func (a answering) Flush() error                   { return nil }
func (a answering) Receive() (any, error)          { return nil, a.err }
func (a answering) Err() error                     { return nil }
func (a answering) Close() error                   { return nil }

// One full node is told, also where the others have room.
func TestInfoTellsTheFullestServer(t *testing.T) {
	t.Run("stand-alone", func(t *testing.T) {
		s := testserver.Redis(t)
		r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port})
		if info, err := r.Info(t.Context()); err != nil || info.MemoryShare != 0 || info.MemoryLimit != 0 {
			t.Errorf("without limit: %+v, %v", info, err)
		}
		s.Fill(t)
		info, err := r.Info(t.Context())
		if err != nil || info.MemoryShare < 1.5 || info.MemoryLimit == 0 || info.EvictionPolicy != "noeviction" {
			t.Errorf("full: %+v, %v", info, err)
		}
	})
	t.Run("cluster", func(t *testing.T) {
		s := testserver.Cluster(t)
		s.Nodes[1].Fill(t)
		_, err := s.Nodes[2].Dial(t).Do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
		must(t, err)
		info, err := opened(t)(NewRedisCluster(RedisOptions{}, s.Addrs())).Info(t.Context())
		if err != nil || info.MemoryShare < 1.5 || info.Fullest != s.Nodes[1].Addr || info.EvictionPolicy != "allkeys-lru" {
			t.Errorf("%+v, %v", info, err)
		}
	})
	t.Run("INFO is forbidden", func(t *testing.T) {
		s := testserver.Redis(t, testserver.WithConfig(`rename-command INFO ""`, "maxmemory 100mb"))
		info, err := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port}).Info(t.Context())
		if err != nil || info.MemoryLimit != 100<<20 || info.MemoryUsed != Unknown || info.EvictionPolicy != "noeviction" {
			t.Errorf("%+v, %v", info, err)
		}
	})
}
