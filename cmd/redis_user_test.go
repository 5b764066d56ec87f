package cmd

import (
	"encoding/json"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// onlyFor lets Sentinels answer one ACL user, and nobody else more than a ping.
func onlyFor(t *testing.T, sentinels []*testserver.RedisServer, user, password string) {
	t.Helper()
	for _, sentinel := range sentinels {
		conn := sentinel.Dial(t)
		for _, args := range [][]any{
			{"SETUSER", user, "on", ">" + password, "-@all", "+ping", "+sentinel|get-master-addr-by-name", "+sentinel|slaves"},
			{"SETUSER", "default", "-@all", "+ping"},
		} {
			if _, err := conn.Do("ACL", args...); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The plugin's settings redisUsername and usePasswordForSentinelInstances are found where all others are, in the same
// order.
func TestRedisUserOfThePluginsSettings(t *testing.T) {
	servers := testserver.Sentinel(t, testserver.WithUser(aclUser, aclPassword, documentedRules(t)))
	onlyFor(t, servers.Sentinels, aclUser, aclPassword)
	i := newInstallation(t)
	hosts, ports := addresses(t, servers.Addrs())
	for _, setting := range []string{"REDIS_HOST", "REDIS_PORT", "REDIS_DATABASE"} {
		delete(i.env, "QUEUEDTRACKING_"+setting)
	}
	stored := func(name, value string) {
		t.Helper()
		i.db.MustExec("DELETE FROM matomo_plugin_setting WHERE plugin_name = 'QueuedTracking' AND setting_name = ?", name)
		i.db.MustExec("INSERT INTO matomo_plugin_setting (plugin_name, setting_name, setting_value, json_encoded, user_login) "+
			"VALUES ('QueuedTracking', ?, ?, 0, '')", name, value)
	}
	stored("useWhatRedisBackendType", "2")
	stored("sentinelMasterName", servers.Name)
	stored("redisHost", hosts)
	stored("redisPort", ports)
	stored("redisPassword", aclPassword)
	works := func(want bool, args ...string) {
		t.Helper()
		r := i.run(t, append([]string{"lock-status"}, args...))
		if (r.status == statusDone) != want {
			t.Errorf("%v: exit status %d, %s", args, r.status, r.stderr)
		}
		lacks(t, r.stdout+r.stderr, aclPassword)
	}
	works(false) // default: no user, and Sentinels are asked without a password
	stored("redisUsername", aclUser)
	works(false) // the Sentinels answer strangers that they may not
	stored("usePasswordForSentinelInstances", "1")
	works(true)
	i.configure(t, "[QueuedTracking]\nredisUsername = eve\nusePasswordForSentinelInstances = 0")
	works(false)
	works(false, "--redis-user", aclUser)
	works(true, "--redis-user", aclUser, "--use-password-for-sentinel-instances")
	i.env["QUEUEDTRACKING_REDIS_USER"], i.env["QUEUEDTRACKING_USE_PASSWORD_FOR_SENTINEL_INSTANCES"] = aclUser, "true"
	works(true)
	works(false, "--redis-user", "eve")
	works(false, "--use-password-for-sentinel-instances=false")

	r := i.ok(t, "test")
	contains(t, r.stdout, "redis user and password           "+aclUser+" set (not shown)",
		"sentinel master                   "+servers.Name,
		"sentinel login                    with that user and password")
	lacks(t, r.stdout, aclPassword)
	var report struct{ Settings map[string]any }
	if err := json.Unmarshal([]byte(i.ok(t, "test", "--json").stdout), &report); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"redis_type": matomo.RedisSentinel.String(), "redis_user": aclUser, "redis_password": "set",
		"sentinel_master_name": servers.Name, "use_password_for_sentinel_instances": true,
	} {
		if got := report.Settings[name]; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	contains(t, i.ok(t, "help", "settings").stdout, "--redis-user", "redisUsername",
		"$QUEUEDTRACKING_USE_PASSWORD_FOR_SENTINEL_INSTANCES")
}

func TestBadRedisPortsAreNamed(t *testing.T) {
	i := &installation{env: map[string]string{}}
	for _, c := range []struct{ hosts, ports, want string }{
		{"127.0.0.1", "redis", `port "redis" of Redis host 127.0.0.1: set redisPort to 1 … 65535`},
		{"127.0.0.1", "0", `port "0" of Redis host 127.0.0.1`},
		{"127.0.0.1", "70000", `port "70000" of Redis host 127.0.0.1`},
		{"a,b,c", "26379,26379,", ""}, // the default stands in
		{"a,b,c", "26379,x,26379", `port "x" of Redis host b`},
	} {
		r := i.run(t, []string{
			"lock-status", "--without-database", "--redis-type", "sentinel", "--redis-host", c.hosts,
			"--redis-port", c.ports,
		})
		if r.status != statusFailed {
			t.Errorf("%s: exit status %d", c.ports, r.status)
		}
		contains(t, r.stderr, c.want)
	}
}
