package receive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// systemdName is the address that asks for the socket that systemd hands over.
const systemdName = "systemd"

// firstSystemdFile is the number of the first file that systemd hands over.
const firstSystemdFile = 3

// Listen opens what an address names: "host:port", the path of a unix socket ("unix:/run/x.sock" or "/run/x.sock"),
// or "systemd" for the socket of a systemd unit (sd_listen_fds). mode says who may connect to a unix socket that is
// opened here. lookupEnv reads the environment.
func Listen(address string, mode fs.FileMode, lookupEnv func(string) (string, bool)) (net.Listener, error) {
	if address == systemdName {
		return listenSystemd(lookupEnv)
	}
	path, isSocket := strings.CutPrefix(address, "unix:")
	if isSocket || strings.HasPrefix(address, "/") {
		return listenUnix(path, mode)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}

// DefaultMode lets the user and the group of the process connect to a unix socket. Whoever may connect says from
// which address a request comes.
const DefaultMode fs.FileMode = 0o660

// listenUnix opens a unix socket. One that a killed process has left is removed.
func listenUnix(path string, mode fs.FileMode) (net.Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	if err := os.Chmod(path, mode); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", path, err), l.Close())
	}
	return l, nil
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return errors.New("there is a file that is no socket")
	}
	if conn, err := net.Dial("unix", path); err == nil {
		_ = conn.Close()
		return errors.New("another process listens there")
	}
	return os.Remove(path)
}

func listenSystemd(lookupEnv func(string) (string, bool)) (net.Listener, error) {
	pid, _ := lookupEnv("LISTEN_PID")
	count, _ := lookupEnv("LISTEN_FDS")
	if pid != strconv.Itoa(os.Getpid()) || count != "1" {
		return nil, errors.New("listen on systemd: systemd hands over no socket, or not exactly one (is there a .socket " +
			"unit?)")
	}
	f := os.NewFile(firstSystemdFile, "systemd socket")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("listen on systemd: %w", err)
	}
	return l, nil
}

// limited is a listener with at most n connections open at the same time; further ones wait in the system's queue.
type limited struct {
	net.Listener
	room   chan struct{}
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	open map[*limitedConn]bool
}

func limitConnections(l net.Listener, n int) *limited {
	return &limited{
		Listener: l, room: make(chan struct{}, n), closed: make(chan struct{}),
		open: make(map[*limitedConn]bool),
	}
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.room <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.room
		return nil, err
	}
	c := &limitedConn{Conn: conn, from: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = true
	return c, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// cutOff closes all connections.
func (l *limited) cutOff() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		_ = c.Conn.Close()
	}
}

func (l *limited) forget(c *limitedConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[c] {
		delete(l.open, c)
		<-l.room
	}
}

type limitedConn struct {
	net.Conn
	from    *limited
	talking bool // the client may still be sending
}

// lingerTime is how long what a client goes on sending is read after the answer. Closing at once would reset the
// connection, maybe before the client has read the answer.
const lingerTime = 500 * time.Millisecond

func (c *limitedConn) Close() error {
	defer c.from.forget(c)
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.talking && half.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, c.Conn)
	}
	return c.Conn.Close()
}

// closeEarly ends the connection after the answer although the client may still be sending.
func closeEarly(ctx *fasthttp.RequestCtx) {
	ctx.SetConnectionClose()
	if c, ok := ctx.Conn().(*limitedConn); ok {
		c.talking = true
	}
}
