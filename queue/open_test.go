package queue

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// hosts splits addresses as they stand in the plugin's settings.
func hosts(t *testing.T, addresses []string) (hosts, ports string) {
	t.Helper()
	var h, p []string
	for _, a := range addresses {
		host, port, err := net.SplitHostPort(a)
		must(t, err)
		h, p = append(h, host), append(p, port)
	}
	return strings.Join(h, ", "), strings.Join(p, ",")
}

func TestSettingsChooseTheBackend(t *testing.T) {
	t.Parallel()
	plain := testserver.Redis(t)
	secure := testserver.Redis(t, testserver.WithTLS(true), testserver.WithPassword("secret"))
	tls, err := secure.TLS.ClientConfig()
	must(t, err)
	sentinel, cluster := testserver.Sentinel(t), testserver.Cluster(t)
	db := testserver.MariaDB(t).NewDatabase(t)
	tests := []struct {
		name string
		set  func(*matomo.QueueSettings)
		o    OpenOptions
		mode string
	}{
		{"stand-alone", func(s *matomo.QueueSettings) {
			s.RedisHost, s.RedisPort, s.RedisDatabase = plain.Host, strconv.Itoa(plain.Port), 2
		}, OpenOptions{}, "standalone"},
		{"unix socket", func(s *matomo.QueueSettings) { s.RedisHost = plain.Socket }, OpenOptions{}, "standalone"},
		{"unix socket with a scheme", func(s *matomo.QueueSettings) {
			s.RedisHost, s.RedisPort = "unix://"+plain.Socket, "0"
		}, OpenOptions{}, "standalone"},
		{"unix socket with a colon", func(s *matomo.QueueSettings) {
			s.RedisHost = filepath.Join(t.TempDir(), "redis:6379")
			must(t, os.Symlink(plain.Socket, s.RedisHost))
		}, OpenOptions{}, "standalone"},
		{"TLS", func(s *matomo.QueueSettings) {
			s.RedisHost, s.RedisPort, s.RedisPassword = "tls://"+secure.Host, strconv.Itoa(secure.Port), "secret"
		}, OpenOptions{TLS: tls}, "standalone"},
		{"sentinel", func(s *matomo.QueueSettings) {
			s.RedisType = matomo.RedisSentinel
			s.RedisHost, s.RedisPort = hosts(t, sentinel.Addrs())
		}, OpenOptions{}, "sentinel"},
		{"cluster", func(s *matomo.QueueSettings) {
			s.RedisType, s.RedisDatabase = matomo.RedisCluster, 5
			s.RedisHost, s.RedisPort = hosts(t, cluster.Addrs())
		}, OpenOptions{}, "cluster"},
		{
			"mysql", func(s *matomo.QueueSettings) { s.Backend = matomo.BackendMySQL },
			OpenOptions{DB: db, Database: matomo.Database{Prefix: "matomo_"}},
			"database",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := matomo.DefaultQueueSettings()
			tt.set(&s)
			b, err := New(s, tt.o)
			must(t, err)
			defer b.Close()
			must(t, b.Append(t.Context(), testList, []byte("x")))
			if info, err := b.Info(t.Context()); err != nil || info.Mode != tt.mode {
				t.Errorf("%+v, %v", info, err)
			}
		})
	}
}

func TestSettingThatIsWrongIsNamed(t *testing.T) {
	tests := []struct {
		set  func(*matomo.QueueSettings)
		want string
	}{
		{func(s *matomo.QueueSettings) { s.NumQueueWorkers = 0 }, "numQueueWorkers"},
		{func(s *matomo.QueueSettings) { s.Backend = matomo.BackendMySQL }, "not connected"},
		{func(s *matomo.QueueSettings) { s.RedisHost, s.RedisPort = "a,b", "1,2" }, "useWhatRedisBackendType"},
		{func(s *matomo.QueueSettings) {
			s.RedisType, s.RedisHost, s.RedisPort = matomo.RedisCluster, "a,b,c", "1,2"
		}, "3 Redis hosts but 2 ports"},
		{func(s *matomo.QueueSettings) {
			s.RedisType, s.RedisHost, s.RedisPort = matomo.RedisSentinel, "tls://a,tls://b", "1"
		}, "2 Redis hosts but 1 ports"},
		{
			func(s *matomo.QueueSettings) { s.RedisType, s.RedisHost = matomo.RedisCluster, "/run/redis.sock" },
			"a unix socket cannot be used",
		},
	}
	for _, tt := range tests {
		s := matomo.DefaultQueueSettings()
		tt.set(&s)
		if _, err := New(s, OpenOptions{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}
