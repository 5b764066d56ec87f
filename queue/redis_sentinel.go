package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/FZambia/sentinel"
	"github.com/gomodule/redigo/redis"
)

const (
	// sentinelTimeout bounds each step of asking one Sentinel.
	sentinelTimeout = time.Second
	// askEvery is how often the Sentinels are asked, while there is work, whether the master is still the same.
	askEvery = time.Second
)

// NewRedisSentinel makes the backend on the master that the Sentinels at addresses ("host:port") know under a name.
// They are asked in turn, whenever a connection is made and once a second while connections are used; the server they
// name must call itself a master.
//
// The Sentinels are asked without a password, as the plugin does; one that wants a password gets the user and password
// of the servers. With o.SentinelLogin, the plugin's setting usePasswordForSentinelInstances, each gets them first,
// and one that has no password set is asked without. TLS is for both.
func NewRedisSentinel(o RedisOptions, master string, addresses []string) (*Redis, error) {
	if master == "" {
		return nil, errors.New("redis: no name of the Sentinel master (setting sentinelMasterName)")
	}
	if len(addresses) == 0 {
		return nil, errors.New("redis: no Sentinel set (settings redisHost and redisPort)")
	}
	s := &sentinels{options: o, master: master, addresses: addresses}
	s.pool = o.newPool(s.connect)
	s.pool.TestOnBorrow, s.pool.TestOnBorrowContext = nil, s.check
	return makeRedis("redis master "+master, o, s), nil
}

// sentinels is the topology of a master with replicas that Sentinels watch.
type sentinels struct {
	options   RedisOptions
	master    string
	addresses []string
	pool      *redis.Pool

	mu    sync.Mutex
	named string    // address of the master as last told
	asked time.Time // when
}

// connect asks for the master and connects to it.
func (s *sentinels) connect(ctx context.Context) (redis.Conn, error) {
	addr, err := s.ask(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := s.options.connect(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if err := isMaster(conn); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("%s: %w", addr, err)
	}
	conn.(*masterConn).addr = addr
	return conn, nil
}

// ask returns the address that the first Sentinel to answer names.
func (s *sentinels) ask(ctx context.Context) (string, error) {
	failed := &sentinelError{}
	for _, addr := range s.addresses {
		named, err := s.query(ctx, addr, (*sentinel.Sentinel).MasterAddr)
		if err == nil {
			s.mu.Lock()
			s.named, s.asked = named, s.options.now()
			s.mu.Unlock()
			return named, nil
		}
		failed.add(addr, s.master, err)
		if ctx.Err() != nil {
			break
		}
	}
	return "", failed
}

// query asks one Sentinel. Each gets a client of its own: one for all would skip the second when the first does not
// answer.
func (s *sentinels) query(
	ctx context.Context, addr string, question func(*sentinel.Sentinel) (string, error),
) (string, error) {
	var dialled error
	client := &sentinel.Sentinel{
		Addrs: []string{addr}, MasterName: s.master,
		Dial: func(addr string) (redis.Conn, error) {
			conn, err := s.dial(ctx, addr)
			dialled = err
			return conn, err
		},
	}
	defer client.Close()
	answer, err := question(client)
	if dialled != nil {
		return "", dialled
	}
	if err != nil && strings.HasSuffix(err.Error(), redis.ErrNil.Error()) { // the client hides the cause
		return "", redis.ErrNil
	}
	return answer, err
}

func (s *sentinels) dial(ctx context.Context, addr string) (redis.Conn, error) {
	o := s.options
	if o.SentinelLogin && o.Password != "" {
		conn, err := s.dialAs(ctx, addr, o.User, o.Password)
		if !hasNoPassword(err) {
			return conn, err
		}
	}
	conn, err := s.dialAs(ctx, addr, "", "")
	if hasCode(err, "NOAUTH") && o.Password != "" {
		return s.dialAs(ctx, addr, o.User, o.Password)
	}
	return conn, err
}

// hasNoPassword reports whether err is a server's answer to a password where none is set. Redis 5 says it in other
// words than later ones.
func hasNoPassword(err error) bool {
	return hasCode(err, "ERR") && (strings.Contains(err.Error(), "without any password configured") ||
		strings.Contains(err.Error(), "no password is set"))
}

func (s *sentinels) dialAs(ctx context.Context, addr, user, password string) (redis.Conn, error) {
	o := RedisOptions{
		User: user, Password: password, TLS: s.options.TLS,
		ConnectTimeout: sentinelTimeout, IOTimeout: sentinelTimeout,
	}
	return o.connect(ctx, "tcp", addr)
}

// check refuses a connection to a server that is not the master any more.
func (s *sentinels) check(ctx context.Context, c redis.Conn, idleSince time.Time) error {
	if named := s.current(ctx); named != c.(*masterConn).addr {
		return errDemoted
	}
	if time.Since(idleSince) < checkIdle {
		return nil
	}
	return isMaster(c)
}

// current is the master's address, asked for again when it was asked long ago. While no Sentinel answers it stays what
// it was; when ctx ends before, the next caller asks.
func (s *sentinels) current(ctx context.Context) string {
	now := s.options.now()
	s.mu.Lock()
	named, due := s.named, now.Sub(s.asked) >= askEvery
	if due {
		s.asked = now // others go on meanwhile
	}
	s.mu.Unlock()
	if !due {
		return named
	}
	answer, err := s.ask(ctx)
	if err == nil {
		return answer
	}
	if ctx.Err() != nil {
		s.lost()
	}
	return named
}

// isMaster asks the server for its role. One that may not tell is believed to be what the Sentinels say.
func isMaster(c redis.Conn) error {
	reply, err := redis.Values(c.Do("ROLE"))
	if isForbidden(err) {
		return nil
	}
	if err != nil || len(reply) == 0 {
		return err
	}
	if role, err := redis.String(reply[0], nil); err != nil || role != "master" {
		return errDemoted
	}
	return nil
}

func (s *sentinels) conn(ctx context.Context, _ string) (redis.Conn, error) {
	return s.pool.GetContext(ctx)
}

func (s *sentinels) pipe(ctx context.Context, _ string) (redis.Conn, error) {
	return s.pool.GetContext(ctx)
}

func (s *sentinels) groups(keys []string) [][]int { return oneGroup(keys) }

// lost lets the next connection that is used ask for the master first.
func (s *sentinels) lost() {
	s.mu.Lock()
	s.asked = time.Time{}
	s.mu.Unlock()
}

func (s *sentinels) close() error { return s.pool.Close() }

// describe names the master, its replicas and the Sentinels.
func (s *sentinels) describe(ctx context.Context, _ *Redis, info *Info) {
	info.Mode = "sentinel"
	s.mu.Lock()
	info.Nodes = append(info.Nodes, s.named+" master "+s.master)
	s.mu.Unlock()
	for _, addr := range s.addresses {
		_, err := s.query(ctx, addr, func(client *sentinel.Sentinel) (string, error) {
			return "", s.describeReplicas(client, info)
		})
		if err == nil {
			break
		}
	}
	for _, addr := range s.addresses {
		named, err := s.query(ctx, addr, (*sentinel.Sentinel).MasterAddr)
		switch {
		case errors.Is(err, redis.ErrNil):
			named = "does not know " + s.master
		case err != nil:
			named, _ = describeNetwork(err)
		default:
			named = "says " + named
		}
		info.Nodes = append(info.Nodes, addr+" sentinel, "+named)
	}
}

func (s *sentinels) describeReplicas(client *sentinel.Sentinel, info *Info) error {
	replicas, err := client.Slaves()
	if err != nil {
		return err
	}
	for _, replica := range replicas {
		state := " replica"
		if !replica.Available() {
			state += ", away"
		}
		info.Nodes = append(info.Nodes, replica.Addr()+state)
	}
	return nil
}

// sentinelError says that no Sentinel named a master, and why.
type sentinelError struct {
	text string
	kind error
}

func (e *sentinelError) Error() string { return e.text }

// add takes in the error of one Sentinel. While one of them is only away, asking again may help.
func (e *sentinelError) add(addr, master string, err error) {
	var text string
	var kind error
	reply, isReply := errors.AsType[redis.Error](err)
	switch {
	case errors.Is(err, redis.ErrNil):
		text, kind = "knows no master "+master+" (setting sentinelMasterName)", ErrDenied
	case strings.Contains(err.Error(), "unknown command") && strings.Contains(err.Error(), "SENTINEL"):
		text, kind = isNoSentinel, ErrDenied
	case isReply:
		text, kind = describeReply(string(reply))
	default:
		text, kind = describeNetwork(err)
	}
	separator := "; "
	if e.text == "" {
		separator, e.kind = "no master is named: ", ErrDenied
	}
	e.text += separator + "sentinel " + addr + ": " + text
	if kind != ErrDenied {
		e.kind = ErrUnavailable
	}
}
