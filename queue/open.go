package queue

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// OpenOptions are what a backend needs besides the plugin's settings.
type OpenOptions struct {
	TLS       *tls.Config   // for Redis, its Sentinels and cluster nodes; nil: none, unless a host begins with tls://
	IOTimeout time.Duration // of Redis: to write a command or read its answer; 0: 30 s
	MaxIdle   int           // connections to Redis kept open, per server; 0: 8

	Clock func() time.Time // as in RedisOptions

	DB       *sqlx.DB        // Matomo's database, for the backend in MySQL; stays the caller's to close
	Database matomo.Database // how DB is reached: its prefix of tables, and its name for errors
}

// New makes the backend that the settings choose. It connects when it is used first; errors name the setting to look
// at.
func New(s matomo.QueueSettings, o OpenOptions) (Backend, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if s.Backend == matomo.BackendMySQL {
		if o.DB == nil {
			return nil, errors.New("backend mysql keeps the queues in Matomo's database, which is not connected")
		}
		return NewMySQL(o.DB, o.Database.Prefix, fmt.Sprintf("database %s at %s", o.Database.Name, o.Database.Address()))
	}
	redis := RedisOptions{
		Database: s.RedisDatabase, User: s.RedisUsername, Password: s.RedisPassword, SentinelLogin: s.SentinelLogin,
		TLS:            o.TLS,
		ConnectTimeout: s.RedisTimeout, IOTimeout: o.IOTimeout, MaxIdle: o.MaxIdle, Clock: o.Clock,
	}
	addresses, err := addressesOf(s, &redis)
	if err != nil {
		return nil, err
	}
	switch s.RedisType {
	case matomo.RedisSentinel:
		return NewRedisSentinel(redis, s.SentinelName, addresses)
	case matomo.RedisCluster:
		redis.Database = 0 // as the plugin, which ignores the setting
		return NewRedisCluster(redis, addresses)
	}
	redis.Host = addresses[0]
	if host, port, err := net.SplitHostPort(redis.Host); err == nil && !strings.HasPrefix(redis.Host, "/") {
		redis.Host = host
		redis.Port, _ = strconv.Atoi(port) // RedisAddresses has seen to it
	}
	return NewRedis(redis)
}

// addressesOf pairs hosts and ports. A tls:// before a host of several asks for TLS to all of them.
func addressesOf(s matomo.QueueSettings, o *RedisOptions) ([]string, error) {
	if s.RedisType == matomo.RedisStandAlone {
		return s.RedisAddresses()
	}
	if strings.Contains(s.RedisHost, "tls://") && o.TLS == nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	s.RedisHost = strings.NewReplacer("tls://", "", "tcp://", "").Replace(s.RedisHost)
	addresses, err := s.RedisAddresses()
	if err != nil {
		return nil, err
	}
	for _, addr := range addresses {
		if strings.HasPrefix(addr, "/") {
			return nil, fmt.Errorf("redis %s at %s: a unix socket cannot be used, its servers name each other by address and "+
				"port", s.RedisType, addr)
		}
	}
	return addresses, nil
}
