package receive

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
)

// systemdName is the address that asks for the socket that systemd hands over.
const systemdName = "systemd"

// firstSystemdFile is the number of the first file that systemd hands over.
const firstSystemdFile = 3

// Listen opens what an address names: "host:port", the path of a unix socket ("unix:/run/x.sock" or "/run/x.sock"), or "systemd" for
// the socket of a systemd unit (sd_listen_fds). lookupEnv reads the environment.
func Listen(address string, lookupEnv func(string) (string, bool)) (net.Listener, error) {
	if address == systemdName {
		return listenSystemd(lookupEnv)
	}
	path, isSocket := strings.CutPrefix(address, "unix:")
	if isSocket || strings.HasPrefix(address, "/") {
		return listenUnix(path)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}

// listenUnix opens a unix socket that everybody on the machine may connect to, as web servers need; a directory can restrict that. A
// socket that a killed process has left is removed.
func listenUnix(path string) (net.Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
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
		return nil, errors.New("listen on systemd: systemd hands over no socket, or not exactly one (is there a .socket unit?)")
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
}

func limitConnections(l net.Listener, n int) *limited {
	return &limited{Listener: l, room: make(chan struct{}, n), closed: make(chan struct{})}
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
	return &limitedConn{Conn: conn, release: func() { <-l.room }}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	once    sync.Once
	release func()
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.release)
	return err
}
