package matomo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// RedisType is how the Redis servers work together.
type RedisType int

// The types, with the numbers that the plugin stores.
const (
	RedisStandAlone RedisType = 1
	RedisSentinel   RedisType = 2
	RedisCluster    RedisType = 3
)

// String names the type as a user would.
func (t RedisType) String() string {
	switch t {
	case RedisStandAlone:
		return "stand-alone"
	case RedisSentinel:
		return "sentinel"
	case RedisCluster:
		return "cluster"
	default:
		return fmt.Sprintf("unknown type %d", int(t))
	}
}

// Names of queue backends.
const (
	BackendRedis = "redis"
	BackendMySQL = "mysql"
)

// QueueSettings are the settings of plugin QueuedTracking (spec §0.1).
type QueueSettings struct {
	Backend       string // BackendRedis or BackendMySQL
	RedisType     RedisType
	RedisHost     string // name, address or path of a socket; several separated by commas for sentinel and cluster
	RedisPort     string // as many ports as hosts, "" for 6379 (sentinel 26379)
	RedisTimeout  time.Duration
	RedisDatabase int
	RedisUsername string // of an ACL user
	RedisPassword string
	SentinelName  string // of the master
	SentinelLogin bool   // user and password are for the Sentinels, too

	Enabled                      bool
	NumQueueWorkers              int
	NumRequestsToProcess         int
	ProcessDuringTrackingRequest bool

	NotifyThreshold         int      // entries in one queue beyond which the plugin's task writes to NotifyEmails
	NotifyEmails            []string //
	LogFailedTrackingBodies bool     // log_failed_tracking_request_body
}

// DefaultQueueSettings are the plugin's defaults.
func DefaultQueueSettings() QueueSettings {
	return QueueSettings{
		Backend: BackendRedis, RedisType: RedisStandAlone, RedisHost: "127.0.0.1", SentinelName: "mymaster",
		NumQueueWorkers: 1, NumRequestsToProcess: 25, ProcessDuringTrackingRequest: true, NotifyThreshold: 250000,
	}
}

// QueueSettings returns the defaults, overridden by the rows of table plugin_setting, overridden by section
// [QueuedTracking] of the configuration. The result is not validated: flags may still change it.
func (i *Installation) QueueSettings(ctx context.Context) (QueueSettings, error) {
	stored, err := i.PluginSettings(ctx, "QueuedTracking")
	if err != nil {
		return QueueSettings{}, err
	}
	return i.config.queueSettings(stored), nil
}

func (c *Config) queueSettings(stored map[string]php.Value) QueueSettings {
	const section = "QueuedTracking"
	s := DefaultQueueSettings()
	find := func(name string) (php.Value, bool) {
		if v := c.Value(section, name); !v.IsNull() {
			return v, true
		}
		v, ok := stored[name]
		return v, ok
	}
	text := func(name string, into *string) {
		if v, ok := find(name); ok {
			*into = php.ToString(v)
		}
	}
	number := func(name string, into *int) {
		if v, ok := find(name); ok {
			*into = int(php.ToInt(v))
		}
	}
	flag := func(name string, into *bool) {
		if v, ok := find(name); ok {
			*into = php.ToBool(v)
		}
	}
	text("backend", &s.Backend)
	number("useWhatRedisBackendType", (*int)(&s.RedisType))
	text("redisHost", &s.RedisHost)
	text("redisPort", &s.RedisPort)
	if v, ok := find("redisTimeout"); ok {
		s.RedisTimeout = time.Duration(php.ToFloat(v) * float64(time.Second))
	}
	number("redisDatabase", &s.RedisDatabase)
	text("redisUsername", &s.RedisUsername)
	text("redisPassword", &s.RedisPassword)
	text("sentinelMasterName", &s.SentinelName)
	flag("usePasswordForSentinelInstances", &s.SentinelLogin)
	flag("queueEnabled", &s.Enabled)
	number("numQueueWorkers", &s.NumQueueWorkers)
	number("numRequestsToProcess", &s.NumRequestsToProcess)
	flag("processDuringTrackingRequest", &s.ProcessDuringTrackingRequest)

	if v := c.Value(section, "notify_queue_threshold_single_queue"); php.ToString(v) != "" {
		s.NotifyThreshold = int(php.ToInt(v))
	}
	s.NotifyEmails = c.listOrOne(section, "notify_queue_threshold_emails")
	s.LogFailedTrackingBodies = c.Bool(section, "log_failed_tracking_request_body")
	if s.Backend != BackendMySQL {
		s.Backend = BackendRedis // as the plugin: whatever is not mysql is redis
	}
	return s
}

// Validate tells which setting cannot work and what to set.
func (s QueueSettings) Validate() error {
	switch {
	case s.Backend != BackendRedis && s.Backend != BackendMySQL:
		return fmt.Errorf("backend %q is unknown: set backend to %s or %s", s.Backend, BackendRedis, BackendMySQL)
	case s.NumQueueWorkers < 1 || s.NumQueueWorkers > 4096:
		return fmt.Errorf("%d queue workers: set numQueueWorkers to 1 … 4096", s.NumQueueWorkers)
	case s.NumRequestsToProcess < 1:
		return fmt.Errorf("%d requests per batch: set numRequestsToProcess to 1 or more", s.NumRequestsToProcess)
	case s.Backend == BackendMySQL:
		return nil
	}
	return s.validateRedis()
}

func (s QueueSettings) validateRedis() error {
	switch {
	case s.RedisType < RedisStandAlone || s.RedisType > RedisCluster:
		return fmt.Errorf("type %d of Redis is unknown: set useWhatRedisBackendType to 1 (stand-alone), 2 (sentinel) or 3 "+
			"(cluster)", s.RedisType)
	case s.RedisType == RedisSentinel && strings.TrimSpace(s.SentinelName) == "":
		return errors.New("no name of the Sentinel master: set sentinelMasterName, e.g. to mymaster")
	case s.RedisDatabase < 0:
		return fmt.Errorf("database %d of Redis: set redisDatabase to 0 or more", s.RedisDatabase)
	case s.RedisTimeout < 0:
		return fmt.Errorf("timeout %s of Redis: set redisTimeout to 0 or more seconds", s.RedisTimeout)
	}
	addresses, err := s.RedisAddresses()
	if err != nil {
		return err
	}
	if s.RedisType == RedisStandAlone && len(addresses) > 1 {
		return fmt.Errorf("%d Redis servers, but type stand-alone: set one redisHost, or useWhatRedisBackendType to 2 "+
			"(sentinel) or 3 (cluster)",
			len(addresses))
	}
	return nil
}

// SamePlace reports whether queues are where others are, reached alike.
func (s QueueSettings) SamePlace(o QueueSettings) bool {
	type place struct {
		backend                                  string
		kind                                     RedisType
		host, port, username, password, sentinel string
		timeout                                  time.Duration
		database                                 int
		login                                    bool
	}
	of := func(s QueueSettings) place {
		return place{
			s.Backend, s.RedisType, s.RedisHost, s.RedisPort, s.RedisUsername, s.RedisPassword, s.SentinelName,
			s.RedisTimeout, s.RedisDatabase, s.SentinelLogin,
		}
	}
	return of(s) == of(o)
}

// RedisAddresses pairs hosts with ports: "host:port", or the path of a socket. Errors tell what to set. As for
// phpredis a path may have a scheme before it (unix:///run/redis.sock), and port 0 of a host stands for 6379.
func (s QueueSettings) RedisAddresses() ([]string, error) {
	hosts := splitTrim(s.RedisHost)
	ports := splitTrim(s.RedisPort)
	if s.RedisPort == "" {
		ports = make([]string, len(hosts))
	}
	if len(hosts) != len(ports) && socketPath(s.RedisHost) == "" {
		return nil, fmt.Errorf("%d Redis hosts but %d ports: set as many in redisPort as in redisHost, separated by commas",
			len(hosts), len(ports))
	}
	addresses := make([]string, len(hosts))
	for i, host := range hosts {
		if path := socketPath(host); path != "" {
			addresses[i] = path
			continue
		}
		if host == "" {
			return nil, errors.New("no Redis host: set redisHost")
		}
		port := ports[i]
		if port == "" || port == "0" && s.RedisType == RedisStandAlone {
			port = s.defaultPort()
		}
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return nil, fmt.Errorf("port %q of Redis host %s: set redisPort to 1 … 65535", port, host)
		}
		addresses[i] = net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	return addresses, nil
}

// socketPath is the path of a unix socket in a host, "" when it names no such.
func socketPath(host string) string {
	if _, path, ok := strings.Cut(host, "://"); ok {
		host = path
	}
	if strings.HasPrefix(host, "/") {
		return host
	}
	return ""
}

func (s QueueSettings) defaultPort() string {
	if s.RedisType == RedisSentinel {
		return "26379"
	}
	return "6379"
}

// String describes the settings without the password.
func (s QueueSettings) String() string {
	where := s.Backend
	if s.Backend == BackendRedis {
		where = fmt.Sprintf("%s %s %s port %s database %d", s.Backend, s.RedisType, s.RedisHost, s.RedisPort, s.RedisDatabase)
	}
	return fmt.Sprintf("%s, %s, %s per batch", where,
		terminal.Count(s.NumQueueWorkers, "queue"), terminal.Count(s.NumRequestsToProcess, "request"))
}

// GoString keeps the password out of %#v.
func (s QueueSettings) GoString() string { return "matomo.QueueSettings(" + s.String() + ")" }
