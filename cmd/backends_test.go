package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// place is where queues may be.
type place struct {
	name  string
	start func(*testing.T, ...testserver.RedisOption) (matomo.QueueSettings, *testserver.Certificates)
	named []string // by the command test
}

var places = []place{
	{"one Redis", oneRedis, []string{"redis, stand-alone", "standalone, master"}},
	{"unix socket", func(t *testing.T, o ...testserver.RedisOption) (matomo.QueueSettings, *testserver.Certificates) {
		server := testserver.Redis(t, o...)
		s := matomo.DefaultQueueSettings()
		s.RedisHost, s.RedisPort = "unix://"+server.Socket, "0" // as phpredis takes it
		return s, server.TLS
	}, []string{"redis, stand-alone", "standalone, master", ".sock"}},
	{"Sentinel", func(t *testing.T, o ...testserver.RedisOption) (matomo.QueueSettings, *testserver.Certificates) {
		servers := testserver.Sentinel(t, o...)
		s := matomo.DefaultQueueSettings()
		s.RedisType, s.SentinelName = matomo.RedisSentinel, servers.Name
		s.RedisHost, s.RedisPort = addresses(t, servers.Addrs())
		return s, servers.Data[0].TLS
	}, []string{"redis, sentinel", "sentinel, master", " master mymaster", " replica", " sentinel, says "}},
	{"Cluster", func(t *testing.T, o ...testserver.RedisOption) (matomo.QueueSettings, *testserver.Certificates) {
		servers := testserver.Cluster(t, o...)
		s := matomo.DefaultQueueSettings()
		s.RedisType = matomo.RedisCluster
		s.RedisHost, s.RedisPort = addresses(t, servers.Addrs()[:3])
		return s, servers.Nodes[0].TLS
	}, []string{"redis, cluster", "cluster, master", " master of slots 0-5460", " master of slots 5461-10921", " master of slots 10922-16383"}},
	{"MySQL", func(*testing.T, ...testserver.RedisOption) (matomo.QueueSettings, *testserver.Certificates) {
		s := matomo.DefaultQueueSettings()
		s.Backend = matomo.BackendMySQL
		return s, nil
	}, []string{"backend                           mysql", "mariadb 1", "database, master", "release a lock\n"}},
}

func oneRedis(t *testing.T, o ...testserver.RedisOption) (matomo.QueueSettings, *testserver.Certificates) {
	server := testserver.Redis(t, o...)
	s := matomo.DefaultQueueSettings()
	s.RedisHost, s.RedisPort, s.RedisDatabase = server.Host, strconv.Itoa(server.Port), 2
	return s, server.TLS
}

// addresses are hosts and ports as the plugin's settings have them.
func addresses(t *testing.T, list []string) (hosts, ports string) {
	t.Helper()
	var h, p []string
	for _, address := range list {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		h, p = append(h, host), append(p, port)
	}
	return strings.Join(h, ","), strings.Join(p, ",")
}

const aclUser, aclPassword = "matomo", "top-secret-pass"

// installationAt is an installation with two queues, in the place with these settings.
func installationAt(t *testing.T, s matomo.QueueSettings, certs *testserver.Certificates) *installation {
	t.Helper()
	i := newInstallation(t)
	i.env["QUEUEDTRACKING_NUM_QUEUE_WORKERS"] = "2"
	i.env["QUEUEDTRACKING_BACKEND"] = s.Backend
	i.env["QUEUEDTRACKING_REDIS_TYPE"] = s.RedisType.String()
	i.env["QUEUEDTRACKING_REDIS_HOST"], i.env["QUEUEDTRACKING_REDIS_PORT"] = s.RedisHost, s.RedisPort
	i.env["QUEUEDTRACKING_REDIS_DATABASE"] = strconv.Itoa(s.RedisDatabase)
	i.env["QUEUEDTRACKING_SENTINEL_MASTER_NAME"] = s.SentinelName
	o := queue.OpenOptions{DB: i.db, Database: matomo.Database{Prefix: "matomo_"}}
	if s.Backend == matomo.BackendMySQL {
		i.logInWithLeastRights(t)
	}
	if certs != nil {
		s.RedisUsername, s.RedisPassword = aclUser, aclPassword
		i.env["QUEUEDTRACKING_REDIS_USER"], i.env["QUEUEDTRACKING_REDIS_PASSWORD"] = aclUser, aclPassword
		i.env["QUEUEDTRACKING_REDIS_TLS_CA"] = certs.CA
		i.env["QUEUEDTRACKING_REDIS_TLS_CERT"], i.env["QUEUEDTRACKING_REDIS_TLS_KEY"] = certs.ClientCert, certs.ClientKey
		var err error
		if o.TLS, err = certs.ClientConfig(); err != nil {
			t.Fatal(err)
		}
	}
	backend, err := queue.New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	i.backend = backend
	return i
}

// logInWithLeastRights lets commands log in as a database user with the rights that docs/settings.md tells to give.
func (i *installation) logInWithLeastRights(t *testing.T) {
	t.Helper()
	rights := documentSays(t, "../docs/settings.md", `(?m)^The user of the database needs (.+?), the last of them `)
	i.db.MustExec("CREATE OR REPLACE USER least IDENTIFIED BY '" + aclPassword + "'")
	i.db.MustExec("GRANT " + strings.ReplaceAll(rights, " and ", ", ") + " ON " + i.env["QUEUEDTRACKING_DB_NAME"] + ".* TO least")
	i.env["QUEUEDTRACKING_DB_USER"], i.env["QUEUEDTRACKING_DB_PASSWORD"] = "least", aclPassword
}

// documentedRules are the rights of the user of Redis that docs/backends.md tells to make.
func documentedRules(t *testing.T) string {
	t.Helper()
	return documentSays(t, "../docs/backends.md", `(?m)^ACL SETUSER matomo on >secret (.+)$`)
}

// documentSays finds the group of a pattern in a document.
func documentSays(t *testing.T, file, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(readDocument(t, file).text)
	if found == nil {
		t.Fatalf("%s does not say %s", file, pattern)
	}
	return found[1]
}

// Every command does its work wherever the queues are; Redis over TLS with a client certificate, as the user that
// docs/backends.md makes.
func TestEveryCommandWorksOnEveryBackend(t *testing.T) {
	options := []testserver.RedisOption{
		testserver.WithTLS(true), testserver.WithUser(aclUser, aclPassword, documentedRules(t)),
	}
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			s, certs := place.start(t, options...)
			i := installationAt(t, s, certs)
			i.testIsFine(t, place.named)
			i.fillForEveryCommand(t)
			i.look(t)
			i.locksAreShownAndReleased(t)
			r := i.ok(t, "process", "--workers", "2", "--force-num-requests-process-at-once", "1")
			contains(t, r.stdout, "Moved 1 request set of queues", fmt.Sprintf("Tracked: %d of %d requests", views+1, views+2),
				"Dead letters: 2")
			lacks(t, r.stderr, "statistics")
			i.lettersAreRetriedAndDeleted(t)
			i.serveReceives(t)
			if n := i.count(t, "log_link_visit_action"); n != views+2+hits {
				t.Errorf("%d actions, want %d", n, views+2+hits)
			}
			contains(t, i.ok(t, "monitor", "--iterations", "1").stdout, "total: 0 sets in 2 queues",
				"Today (UTC):", "Last run:")
		})
	}
}

func (i *installation) testIsFine(t *testing.T, named []string) {
	t.Helper()
	r := i.ok(t, "test")
	contains(t, r.stdout, append(named, "Everything that is needed works.")...)
	lacks(t, r.stdout+r.stderr, "not ok", "skipped", aclPassword)
	for line := range strings.Lines(r.stdout) {
		// the small data have no PHP files
		if strings.Contains(line, "  notice ") && !strings.Contains(line, "device-detector's") {
			t.Errorf("to be known: %s", line)
		}
	}
	var left []string
	if i.env["QUEUEDTRACKING_BACKEND"] == matomo.BackendMySQL && i.hasKeys(t, "queuedtracking:test:%") {
		t.Error("rows left")
	}
	err := i.db.Select(&left, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '%test%'")
	if err != nil || len(left) > 0 {
		t.Errorf("tables left: %q, %v", left, err)
	}
}

// hasKeys reports whether there are keys like this in the database.
func (i *installation) hasKeys(t *testing.T, like string) bool {
	t.Helper()
	var n int
	if err := i.db.Get(&n, "SELECT COUNT(*) FROM matomo_queuedtracking_queue WHERE queue_key LIKE ?", like); err != nil {
		t.Fatal(err)
	}
	return n > 0
}

// views are the page views that nothing is wrong with.
const views = 20

// fillForEveryCommand queues page views, an entry that is none, a request that the database refuses, and a set in a
// queue beyond the two.
func (i *installation) fillForEveryCommand(t *testing.T) {
	t.Helper()
	for n := range views {
		set := pageView(fmt.Sprint("page-", n))
		set.Requests[0].Set("_id", php.String(fmt.Sprintf("%03x0123456789abc", n)))
		i.add(t, set, 2)
	}
	i.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(40) DEFAULT NULL")
	long := pageView("long")
	long.Requests[0].Set("uid", php.String(strings.Repeat("long", 20)))
	i.add(t, long, 2)
	left, err := queue.Encode(pageView("left-behind"))
	if err != nil {
		t.Fatal(err)
	}
	for id, element := range map[int][]byte{1: []byte("no entry"), 5: left} {
		if err := i.backend.Append(context.Background(), queue.Key(id), element); err != nil {
			t.Fatal(err)
		}
	}
}

// look tries the commands that show the queues.
func (i *installation) look(t *testing.T) {
	t.Helper()
	contains(t, i.ok(t, "monitor", "--iterations", "1").stdout, fmt.Sprintf("total: %d sets in 2 queues", views+3), "queue 5 with 1 set")
	var s snapshot
	if err := json.Unmarshal([]byte(i.ok(t, "monitor", "--once", "--json").stdout), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Queues) != 2 || s.Queues[0].Sets+s.Queues[1].Sets != views+2 || len(s.Orphans) != 1 ||
		s.Orphans[0].ID != 5 || s.Orphans[0].Sets != 1 {
		t.Errorf("%+v", s)
	}
	if r := i.run(t, []string{"monitor", "--once", "--warn", "3"}); r.status != 1 {
		t.Errorf("monitor --once: exit status %d\n%s", r.status, r.stderr)
	}
	contains(t, i.ok(t, "print-queued-requests").stdout, "page-0", "page-19", "cannot be decoded")
	if n := strings.Count(i.ok(t, "print-queued-requests", "--json").stdout, "\n"); n != views+2 {
		t.Errorf("%d entries in JSON", n)
	}
}

func (i *installation) locksAreShownAndReleased(t *testing.T) {
	t.Helper()
	i.lock(t, 0)
	i.lock(t, 1)
	contains(t, i.ok(t, "lock-status").stdout, "queue 0 is locked for another", "queue 1 is locked for another")
	r := i.ok(t, "process", "--force-num-requests-process-at-once", "1", "--queue-id", "0")
	contains(t, r.stdout, "Tracked: 0 of 0 requests")
	contains(t, i.ok(t, "lock-status", "--unlock", "QueuedTrackingLock0").stdout, "QueuedTrackingLock0: released", "queue 1 is locked")
	contains(t, i.ok(t, "unlock", "1").stdout, "QueuedTrackingLock1: released")
	if got := i.ok(t, "lock-status", "--json").stdout; got != "[]\n" {
		t.Errorf("locks left: %s", got)
	}
}

// hits are requests that serve receives.
const hits = 3

func (i *installation) serveReceives(t *testing.T) {
	t.Helper()
	i.env["QUEUEDTRACKING_PROCESS_DURING_TRACKING_REQUEST"] = "false"
	s := startServe(t, i.dir, i.env)
	for n := range hits {
		if status, body := s.get(t, hit(n)); status != http.StatusOK {
			t.Errorf("serve: status %d, %q", status, body)
		}
	}
	s.stop(t)
	r := i.ok(t, "process", "--force-num-requests-process-at-once", "1")
	contains(t, r.stdout, fmt.Sprintf("Tracked: %d of %d requests", hits, hits))
}

func (i *installation) lettersAreRetriedAndDeleted(t *testing.T) {
	t.Helper()
	contains(t, i.ok(t, "failed", "list").stdout, "log_visit.user_id: too long", "undecodable queue entry")
	i.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(200) DEFAULT NULL")
	found := i.listed(t)
	if len(found) != 2 {
		t.Fatalf("%+v", found)
	}
	for _, l := range found {
		contains(t, i.ok(t, "failed", "show", l.ID).stdout, l.ID, l.Reason)
		if l.Request == nil {
			contains(t, i.ok(t, "failed", "delete", l.ID).stdout, "1 dead letter deleted")
		} else {
			contains(t, i.ok(t, "failed", "retry", l.ID).stdout, "1 dead letter put back")
		}
	}
	contains(t, i.ok(t, "failed", "list").stdout, "No dead letters.")
	contains(t, i.ok(t, "process", "--force-num-requests-process-at-once", "1").stdout, "Tracked: 1 of 1 request ")
}
