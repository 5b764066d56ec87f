package matomo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

func TestQueueSettingsDefault(t *testing.T) {
	got := parseConfig(t, "").queueSettings(nil)
	if diff := cmp.Diff(DefaultQueueSettings(), got); diff != "" {
		t.Error(diff)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

func TestQueueSettingsOfDatabaseAndConfig(t *testing.T) {
	stored := map[string]php.Value{
		"backend": php.String("redis"), "useWhatRedisBackendType": php.String("2"), "redisHost": php.String("a, b"),
		"redisPort": php.String("26379,26380"), "redisTimeout": php.String("0.25"), "redisDatabase": php.String("3"),
		"redisUsername": php.String("who"), "redisPassword": php.String("stored"), "sentinelMasterName": php.String("m"),
		"usePasswordForSentinelInstances": php.String("1"), "queueEnabled": php.String("1"),
		"numQueueWorkers": php.String("4"), "numRequestsToProcess": php.Int(50),
		"processDuringTrackingRequest": php.String("0"),
	}
	want := QueueSettings{
		Backend: BackendRedis, RedisType: RedisSentinel, RedisHost: "a, b", RedisPort: "26379,26380",
		RedisTimeout:  250 * time.Millisecond,
		RedisDatabase: 3, RedisUsername: "who", RedisPassword: "stored", SentinelName: "m", SentinelLogin: true,
		Enabled:         true,
		NumQueueWorkers: 4, NumRequestsToProcess: 50, NotifyThreshold: 250000,
	}
	if diff := cmp.Diff(want, parseConfig(t, "").queueSettings(stored)); diff != "" {
		t.Error(diff)
	}
	c := parseConfig(t, `
[QueuedTracking]
backend = mysql
redisUsername = configured
redisPassword = "p&quot;w"
usePasswordForSentinelInstances = 0
numQueueWorkers = 8
queueEnabled = false
redisHost = null
notify_queue_threshold_single_queue = 7
notify_queue_threshold_emails[] = a@example.org
log_failed_tracking_request_body = 1
`)
	want.Backend, want.RedisPassword, want.NumQueueWorkers, want.Enabled = BackendMySQL, `p"w`, 8, false
	want.RedisUsername, want.SentinelLogin = "configured", false
	want.NotifyThreshold, want.NotifyEmails, want.LogFailedTrackingBodies = 7, []string{"a@example.org"}, true
	if diff := cmp.Diff(want, c.queueSettings(stored)); diff != "" {
		t.Error(diff)
	}
	if got := parseConfig(t, "[QueuedTracking]\nbackend = file\n").queueSettings(nil).Backend; got != BackendRedis {
		t.Errorf("an unknown backend counts as redis in the plugin, got %s", got)
	}
}

func TestRedisAddresses(t *testing.T) {
	tests := []struct {
		s    QueueSettings
		want []string
	}{
		{QueueSettings{RedisHost: "127.0.0.1"}, []string{"127.0.0.1:6379"}},
		{QueueSettings{RedisHost: "h", RedisPort: "7000"}, []string{"h:7000"}},
		{QueueSettings{RedisHost: "::1"}, []string{"[::1]:6379"}},
		{QueueSettings{RedisHost: "/run/redis.sock", RedisPort: "0"}, []string{"/run/redis.sock"}},
		{QueueSettings{RedisHost: "/run/redis.sock", RedisPort: "1,2"}, []string{"/run/redis.sock"}},
		{QueueSettings{RedisHost: "unix:///run/redis.sock", RedisPort: "0"}, []string{"/run/redis.sock"}},
		{QueueSettings{RedisHost: "unix:///run/redis.sock"}, []string{"/run/redis.sock"}},
		{QueueSettings{RedisHost: "file:///run/redis.sock", RedisPort: "0"}, []string{"/run/redis.sock"}},
		{QueueSettings{RedisType: RedisStandAlone, RedisHost: "h", RedisPort: "0"}, []string{"h:6379"}},
		{QueueSettings{RedisHost: "tls://h", RedisPort: "7000"}, []string{"[tls://h]:7000"}},
		{QueueSettings{RedisHost: "a, b", RedisPort: " 1 ,2"}, []string{"a:1", "b:2"}},
		{QueueSettings{RedisHost: "a,b", RedisType: RedisSentinel}, []string{"a:26379", "b:26379"}},
	}
	for _, tt := range tests {
		got, err := tt.s.RedisAddresses()
		if err != nil || !cmp.Equal(got, tt.want) {
			t.Errorf("%s %s: got %v, %v", tt.s.RedisHost, tt.s.RedisPort, got, err)
		}
	}
}

func TestQueueSettingsValidateSaysWhatToSet(t *testing.T) {
	tests := []struct {
		change func(*QueueSettings)
		want   string
	}{
		{func(s *QueueSettings) { s.Backend = "file" }, `backend "file" is unknown: set backend to redis or mysql`},
		{func(s *QueueSettings) { s.NumQueueWorkers = 0 }, "0 queue workers: set numQueueWorkers to 1 … 4096"},
		{func(s *QueueSettings) { s.NumQueueWorkers = 4097 }, "4097 queue workers: set numQueueWorkers to 1 … 4096"},
		{
			func(s *QueueSettings) { s.NumRequestsToProcess = 0 },
			"0 requests per batch: set numRequestsToProcess to 1 or more",
		},
		{
			func(s *QueueSettings) { s.RedisType = 4 },
			"type 4 of Redis is unknown: set useWhatRedisBackendType to 1 (stand-alone), 2 (sentinel) or 3 (cluster)",
		},
		{
			func(s *QueueSettings) { s.RedisType, s.SentinelName = RedisSentinel, " " },
			"no name of the Sentinel master: set sentinelMasterName, e.g. to mymaster",
		},
		{func(s *QueueSettings) { s.RedisDatabase = -1 }, "database -1 of Redis: set redisDatabase to 0 or more"},
		{
			func(s *QueueSettings) { s.RedisTimeout = -time.Second },
			"timeout -1s of Redis: set redisTimeout to 0 or more seconds",
		},
		{
			func(s *QueueSettings) { s.RedisHost, s.RedisPort = "a,b", "1" },
			"2 Redis hosts but 1 ports: set as many in redisPort as in redisHost, separated by commas",
		},
		{func(s *QueueSettings) { s.RedisHost = "" }, "no Redis host: set redisHost"},
		{func(s *QueueSettings) { s.RedisPort = "x" }, `port "x" of Redis host 127.0.0.1: set redisPort to 1 … 65535`},
		{
			func(s *QueueSettings) { s.RedisType, s.RedisPort = RedisCluster, "0" },
			`port "0" of Redis host 127.0.0.1: set redisPort to 1 … 65535`,
		},
		{
			func(s *QueueSettings) { s.RedisPort = "65536" },
			`port "65536" of Redis host 127.0.0.1: set redisPort to 1 … 65535`,
		},
		{
			func(s *QueueSettings) { s.RedisPort = "6379.5" },
			`port "6379.5" of Redis host 127.0.0.1: set redisPort to 1 … 65535`,
		},
		{
			func(s *QueueSettings) { s.RedisType, s.RedisHost, s.RedisPort = RedisSentinel, "a,b", "26379,-1" },
			`port "-1" of Redis host b: set redisPort to 1 … 65535`,
		},
		{
			func(s *QueueSettings) { s.RedisHost = "a,b" },
			"2 Redis servers, but type stand-alone: set one redisHost, or useWhatRedisBackendType to 2 (sentinel) or 3 " +
				"(cluster)",
		},
	}
	for _, tt := range tests {
		s := DefaultQueueSettings()
		tt.change(&s)
		if err := s.Validate(); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	mysql := QueueSettings{Backend: BackendMySQL, NumQueueWorkers: 1, NumRequestsToProcess: 1}
	if err := mysql.Validate(); err != nil {
		t.Errorf("mysql needs no Redis: %v", err)
	}
}

func TestQueueSettingsHideThePassword(t *testing.T) {
	s := DefaultQueueSettings()
	s.RedisPassword = "secret"
	got := fmt.Sprintf("%v %+v %#v", s, s, s)
	if strings.Contains(got, "secret") || !strings.Contains(got, "redis stand-alone 127.0.0.1") {
		t.Errorf("got %s", got)
	}
	s.Backend = BackendMySQL
	if got := s.String(); got != "mysql, 1 queue, 25 requests per batch" {
		t.Errorf("got %s", got)
	}
}

func TestRedisTypeNames(t *testing.T) {
	for typ, want := range map[RedisType]string{1: "stand-alone", 2: "sentinel", 3: "cluster", 9: "unknown type 9"} {
		if got := typ.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
