package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// Flag, environment, config.ini.php, plugin_setting, default: the first that has a setting counts.
func TestSettingsAreTakenFromTheFirstPlaceThatHasThem(t *testing.T) {
	i := newInstallation(t)
	workers := func(args ...string) string {
		t.Helper()
		out := i.ok(t, append([]string{"monitor", "--iterations", "1"}, args...)...).stdout
		_, rest, _ := strings.Cut(out, "At most ")
		n, _, _ := strings.Cut(rest, " ")
		return n
	}
	i.db.MustExec("DELETE FROM matomo_plugin_setting WHERE setting_name = 'numQueueWorkers'")
	if got := workers(); got != "1" {
		t.Errorf("default: %s workers", got)
	}
	i.db.MustExec("INSERT INTO matomo_plugin_setting (plugin_name, setting_name, setting_value) VALUES ('QueuedTracking', 'numQueueWorkers', '2')")
	if got := workers(); got != "2" {
		t.Errorf("plugin_setting: %s workers", got)
	}
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 3")
	if got := workers(); got != "3" {
		t.Errorf("config.ini.php: %s workers", got)
	}
	i.env["QUEUEDTRACKING_NUM_QUEUE_WORKERS"] = "4"
	if got := workers(); got != "4" {
		t.Errorf("environment: %s workers", got)
	}
	if got := workers("--num-queue-workers", "5"); got != "5" {
		t.Errorf("flag: %s workers", got)
	}
	i.env["QUEUEDTRACKING_NUM_QUEUE_WORKERS"] = ""
	if got := workers(); got != "3" {
		t.Errorf("empty variable: %s workers", got)
	}
}

func TestDirectoryIsFoundByFlagPlaceAndVariable(t *testing.T) {
	i := newInstallation(t)
	dir := i.dir
	i.env["MATOMO_DIR"] = "/nowhere"
	i.ok(t, "lock-status")
	i.dir = t.TempDir()
	if r := i.run(t, []string{"lock-status"}); r.status != statusFailed || !strings.Contains(r.stderr, "/nowhere") {
		t.Errorf("%+v", r)
	}
	i.ok(t, "lock-status", "--matomo", dir)
	i.env["MATOMO_DIR"] = dir
	i.ok(t, "lock-status")
}

func TestEverySettingCanBeSet(t *testing.T) {
	o := newOverrides()
	values := map[string]string{
		"backend": "mysql", "redis-type": "cluster", "redis-host": "r", "redis-port": "1", "redis-timeout": "0.5", "redis-database": "2",
		"redis-user": "u", "redis-password": "p", "sentinel-master-name": "m", "use-password-for-sentinel-instances": "1", "redis-tls": "true", "redis-tls-ca": "ca", "redis-tls-cert": "c",
		"redis-tls-key": "k", "redis-tls-server-name": "s", "redis-tls-skip-verify": "1", "queue-enabled": "true", "num-queue-workers": "3",
		"num-requests-to-process": "4", "process-during-tracking-request": "false",
		"db-host": "h", "db-port": "5", "db-socket": "s", "db-user": "u", "db-password": "p", "db-name": "n", "db-prefix": "x_", "db-charset": "utf8mb4",
		"db-tls": "true", "db-tls-ca": "ca", "db-tls-cert": "c", "db-tls-key": "k", "db-tls-skip-verify": "true",
	}
	for _, s := range o.all() {
		value, ok := values[s.flag]
		if !ok {
			t.Errorf("no value for --%s", s.flag)
			continue
		}
		if err := s.set(value); err != nil {
			t.Errorf("--%s: %v", s.flag, err)
		}
	}
	q := o.queue
	if q.Backend != "mysql" || q.RedisType != matomo.RedisCluster || q.RedisTimeout != 500*time.Millisecond || q.RedisDatabase != 2 ||
		q.RedisUsername != "u" || q.RedisPassword != "p" || q.SentinelName != "m" || !q.SentinelLogin || !q.Enabled ||
		q.NumQueueWorkers != 3 ||
		q.NumRequestsToProcess != 4 || q.ProcessDuringTrackingRequest {
		t.Errorf("%+v", q)
	}
	if want := (redisTLS{true, "ca", "c", "k", "s", true}); o.redisTLS != want {
		t.Errorf("%+v", o.redisTLS)
	}
	want := matomo.Database{
		Host: "h", Port: 5, Socket: "s", Username: "u", Password: "p", Name: "n", Prefix: "x_", Charset: "utf8mb4",
		EnableSSL: true, SSLCA: "ca", SSLCert: "c", SSLKey: "k", SSLNoVerify: true,
	}
	if o.database != want {
		t.Errorf("%+v", o.database)
	}
}

func TestPasswordsAreNotShownInErrors(t *testing.T) {
	if got := shown(override{flag: "redis-password"}, "secret"); got != "(hidden)" {
		t.Error(got)
	}
}

func TestRedisIsReachedByTLS(t *testing.T) {
	server := testserver.Redis(t, testserver.WithTLS(true))
	i := &installation{env: map[string]string{"QUEUEDTRACKING_REDIS_PORT": port(server), "QUEUEDTRACKING_REDIS_TLS_CA": server.TLS.CA}}
	args := []string{"lock-status", "--without-database"}
	if r := i.run(t, args); r.status != statusFailed {
		t.Error("works without client certificate")
	}
	i.env["QUEUEDTRACKING_REDIS_TLS_CERT"] = server.TLS.ClientCert
	r := i.run(t, args)
	contains(t, r.stderr, "--redis-tls-cert and --redis-tls-key belong together")
	i.env["QUEUEDTRACKING_REDIS_TLS_KEY"] = server.TLS.ClientKey
	i.ok(t, args...)
	i.ok(t, append(args, "--redis-tls-skip-verify", "--redis-tls-ca=", "--redis-host", "tls://127.0.0.1")...)

	broken := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(broken, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, more := range map[string][]string{
		"no certificate in":        {"--redis-tls-ca", broken},
		"no such file":             {"--redis-tls-ca", broken + ".no"},
		"redis client certificate": {"--redis-tls-key", broken},
	} {
		r := i.run(t, append(args, more...))
		if r.status != statusFailed {
			t.Errorf("%v: exit status %d", more, r.status)
		}
		contains(t, r.stderr, want)
	}
}

func TestRedisIsReachedByItsSocket(t *testing.T) {
	server := testserver.Redis(t)
	i := &installation{env: map[string]string{}}
	i.ok(t, "lock-status", "--without-database", "--redis-host", server.Socket)
	i.ok(t, "lock-status", "--without-database", "--redis-host", "unix://"+server.Socket)
	r := i.run(t, []string{"lock-status", "--without-database", "--redis-host", server.Socket + ".no"})
	contains(t, r.stderr, "no such unix socket")
}

func TestPagesTurn(t *testing.T) {
	p := pager{rows: 10, page: 1}
	p.fit(205)
	if p.pages != 21 {
		t.Fatalf("%d pages", p.pages)
	}
	for _, step := range []struct {
		key  terminal.Key
		want int
	}{
		{terminal.KeyLeft, 1},
		{terminal.KeyRight, 2},
		{terminal.KeyUp, 12},
		{'5', 15},
		{'0', 20},
		{'1', 11},
		{'.', 21},
		{'9', 21},
		{terminal.KeyRight, 21},
		{terminal.KeyDown, 11},
		{',', 1},
		{terminal.KeyDown, 1},
		{'x', 1},
	} {
		if p.press(step.key); p.page != step.want {
			t.Errorf("after %q: page %d, want %d", step.key, p.page, step.want)
		}
	}
	all := make([]queueState, 205)
	p.page = 21
	if n := len(p.shown(all)); n != 5 {
		t.Errorf("%d queues on the last page", n)
	}
	few := pager{rows: 16, page: 3}
	if few.fit(4); few.rows != 4 || few.page != 1 {
		t.Errorf("%+v", few)
	}
}

func TestViewTellsWhatIsNotKnown(t *testing.T) {
	p := pager{rows: 1, page: 1}
	p.fit(1)
	got := view(&snapshot{Queues: make([]queueState, 1), Orphans: []orphanState{{ID: 4, Sets: 2}}}, nil, p, false, 80)
	contains(t, got, "does not tell how much memory", "queue 4 with 2 sets", "queues 0-0 of 1")
	if old("") != "of unknown age" || old("3s") != "3s old" || timeLeft(queue.NoExpiry) != " and would stay so for ever" {
		t.Error("unknown times")
	}
	used := int64(2048)
	if got := memory(memoryState{Used: &used}); got != "2.0 KiB memory used" {
		t.Error(got)
	}
}

func TestOptionalNumber(t *testing.T) {
	var n optionalNumber
	for in, want := range map[string]string{"0": "0", "12": "12", "": ""} {
		if err := n.Set(in); err != nil || n.String() != want {
			t.Errorf("Set(%q): %q %v", in, n.String(), err)
		}
	}
	if n.Set("x") == nil || n.Set("-3") == nil {
		t.Error("no error")
	}
}

func TestExitErrorsCarryTheirStatus(t *testing.T) {
	if got := (&exitError{status: 1}).Error(); got != "exit status 1" {
		t.Error(got)
	}
	err := fmt.Errorf("wrapped: %w", usage("wrong: %w", os.ErrInvalid))
	if !isUsage(err) || isUsage(os.ErrInvalid) {
		t.Error("usage errors are not told apart")
	}
}
