package queue

import (
	"regexp"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testserver"
)

// documentedRules are the rules of the ACL user that docs/backends.md tells to make.
func documentedRules(t *testing.T) string {
	t.Helper()
	command := regexp.MustCompile(`(?m)^ACL SETUSER matomo on >secret (.+)$`).FindSubmatch(readFile(t, "../docs/backends.md"))
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
			must(t, b.Backend.(*Redis).Replicated(1, shortWait).Check(t.Context()))
			must(t, b.Append(t.Context(), Key(MaxQueues-1), numbered(0, 2)...))
			if lens, err := b.Lens(t.Context(), Keys(0, MaxQueues)...); err != nil || lens[MaxQueues-1] != 2 {
				t.Errorf("lengths: %v", err)
			}
			if info, err := b.Info(t.Context()); err != nil || len(info.Notes) > 0 || info.Version == "" || info.EvictionPolicy == "" {
				t.Errorf("%+v, %v", info, err)
			}
			if _, err := b.Len(t.Context(), "other"); err == nil || !strings.Contains(err.Error(), "not allowed") {
				t.Errorf("another application's key: %v", err)
			}
		})
	}
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
