package queue

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// documentedRules are the rules of the ACL user that docs/backends.md tells to make.
func documentedRules(t *testing.T) string {
	t.Helper()
	command := regexp.MustCompile(`(?m)^ACL SETUSER matomo on >secret (.+)$`).FindSubmatch(readFile(t,
		"../docs/backends.md"))
	if command == nil {
		t.Fatal("the document names no ACL user")
	}
	return string(command[1])
}

// Everything that a backend does is allowed to the user that the documentation makes, and nothing on other keys.
func TestDocumentedRightsAreEnough(t *testing.T) {
	t.Parallel()
	user := testserver.WithUser("matomo", "secret", documentedRules(t))
	credentials := RedisOptions{User: "matomo", Password: "secret"}
	kinds := []struct {
		name string
		open func(t *testing.T) (*Redis, error)
	}{
		{"stand-alone", func(t *testing.T) (*Redis, error) {
			s := testserver.Redis(t, user)
			o := credentials
			o.Host, o.Port, o.Database = s.Host, s.Port, 3
			return NewRedis(o)
		}},
		{"sentinel", func(t *testing.T) (*Redis, error) {
			s := testserver.Sentinel(t, user)
			return NewRedisSentinel(credentials, s.Name, s.Addrs())
		}},
		{"cluster", func(t *testing.T) (*Redis, error) {
			return NewRedisCluster(credentials, testserver.Cluster(t, user).Addrs())
		}},
	}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			b := opened(t)(kind.open(t))
			for _, check := range []func(*testing.T, subject){
				func(t *testing.T, b subject) { headAndRemoveMoveTheOffset(t, t.Context(), b) },
				func(t *testing.T, b subject) { takeAndMove(t, t.Context(), b) },
				func(t *testing.T, b subject) { keyIsExtendedAndDeletedByItsValue(t, t.Context(), b) },
			} {
				check(t, b)
				for _, key := range []string{testList, FailedKey(testList), OffsetKey(testList), testKey} {
					_, err := b.Delete(t.Context(), key)
					must(t, err)
				}
			}
			appendWithMark(t, t.Context(), b)
			talliesOfSeveralWorkersAddUp(t, t.Context(), b)
			must(t, b.Backend.(*Redis).Replicated(1, shortWait).Check(t.Context()))
			must(t, b.Append(t.Context(), Key(MaxQueues-1), numbered(0, 2)...))
			if lens, err := b.Lens(t.Context(), Keys(0, MaxQueues)...); err != nil || lens[MaxQueues-1] != 2 {
				t.Errorf("lengths: %v", err)
			}
			if info, err := b.Info(t.Context()); err != nil || len(info.Notes) > 0 || info.Version == "" ||
				info.EvictionPolicy == "" {
				t.Errorf("%+v, %v", info, err)
			}
			if _, err := b.Len(t.Context(), "other"); err == nil || !strings.Contains(err.Error(), "not allowed") {
				t.Errorf("another application's key: %v", err)
			}
		})
	}
}

// What the plugin sends is allowed with the rights that docs/backends.md adds for it.
func TestDocumentedRightsAreEnoughForThePlugin(t *testing.T) {
	inAddition := regexp.MustCompile("`([^`]+)`\\s+in\\s+addition,\\s+which\\s+the\\s+plugin\\s+sends")
	added := inAddition.FindSubmatch(readFile(t, "../docs/backends.md"))
	if added == nil {
		t.Fatal("the document names no rights for the plugin")
	}
	s := testserver.Redis(t, testserver.WithUser("matomo", "secret", documentedRules(t)+" "+string(added[1])))
	conn, err := redis.Dial("tcp", s.Addr, redis.DialUsername("matomo"), redis.DialPassword("secret"))
	must(t, err)
	defer conn.Close()
	for _, command := range [][]any{
		{"SELECT", 0},
		{"ECHO", "TEST"},
		{"INFO", "server"},
		{"INFO", "memory"},
		{"RPUSH", testList, "entry"},
		{"LRANGE", testList, 0, 24},
		{"LLEN", testList},
		{"LTRIM", testList, 1, -1},
		{"SET", testKey, "value", "NX", "EX", 60},
		{"GET", testKey},
		{"PTTL", testKey},
		{"KEYS", "QueuedTrackingLock*"},
		{
			"EVAL",
			`if redis.call("GET",KEYS[1]) == ARGV[1] then return redis.call("EXPIRE",KEYS[1], ARGV[2]) else return 0 end`, 1,
			testKey, "value", 60,
		},
		{
			"EVAL", `if redis.call("GET",KEYS[1]) == ARGV[1] then return redis.call("DEL",KEYS[1]) else return 0 end`, 1,
			testKey, "value",
		},
		{"DEL", testList},
	} {
		if _, err := conn.Do(command[0].(string), command[1:]...); err != nil {
			t.Errorf("%v: %v", command[0], err)
		}
	}
}

func TestDocumentedRightsOnSentinelsAreEnough(t *testing.T) {
	t.Parallel()
	rules := regexp.MustCompile("(?m)^A user of the Sentinels needs `(.+)`;").FindSubmatch(readFile(t,
		"../docs/backends.md"))
	if rules == nil {
		t.Fatal("the document names no rights on Sentinels")
	}
	s := testserver.Sentinel(t, testserver.WithUser("matomo", "secret", documentedRules(t)))
	for _, sentinel := range s.Sentinels {
		conn := sentinel.Dial(t)
		args := append([]any{"SETUSER", "matomo", "on", ">secret", "-@all"}, fields(string(rules[1]))...)
		for _, args := range [][]any{args, {"SETUSER", "default", "off"}} {
			if _, err := conn.Do("ACL", args...); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := opened(t)(NewRedisSentinel(RedisOptions{User: "matomo", Password: "secret"}, s.Name, s.Addrs()))
	must(t, r.Append(t.Context(), testList, []byte("x")))
	if info, err := r.Info(t.Context()); err != nil || !slices.Contains(info.Nodes, s.Data[1].Addr+" replica") {
		t.Errorf("%+v, %v", info, err)
	}
}

func fields(text string) (words []any) {
	for word := range strings.FieldsSeq(text) {
		words = append(words, word)
	}
	return words
}

func TestServerWithoutEVALSHAIsSentTheScripts(t *testing.T) {
	s := testserver.Redis(t, testserver.WithUser("matomo", "secret", documentedRules(t)+" -evalsha -info -config"))
	r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port, User: "matomo", Password: "secret"})
	for range 2 {
		expect(t, true)(r.SetIfNotExists(t.Context(), testKey, "mine", lockTime))
		expect(t, true)(r.DeleteIfValue(t.Context(), testKey, "mine"))
	}
	if !r.plainEval.Load() {
		t.Error("EVALSHA is tried each time")
	}
}
