package faults

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy passes bytes on and cuts connections.
type proxy struct {
	target string
	host   string
	port   int

	most   atomic.Int64 // connections live for up to so many bytes, 0 for ever
	silent atomic.Int64 // one in so many answers to COMMIT is cut, 0 for none
	cuts   atomic.Int64
	mutes  atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &proxy{target: target, host: "127.0.0.1", port: l.Addr().(*net.TCPAddr).Port, conns: make(map[net.Conn]bool)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

// link is one connection through the proxy.
type link struct {
	*proxy
	client, server net.Conn
	left           atomic.Int64 // bytes until it is cut
	limited        bool
	mute           atomic.Bool // the next answer is not delivered
}

func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	k := &link{proxy: p, client: client, server: server}
	if most := p.most.Load(); most > 0 {
		k.limited = true
		k.left.Store(1 + rand.Int64N(most))
	}
	p.mu.Lock()
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	go k.pump(server, client, true)
	k.pump(client, server, false)
}

// cutAll cuts all connections.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
	p.cuts.Add(1)
}

func (k *link) close() {
	_ = k.client.Close()
	_ = k.server.Close()
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.conns, k.client)
	delete(k.conns, k.server)
}

func (k *link) pump(to, from net.Conn, asking bool) {
	defer k.close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if n, err = k.pass(to, buffer[:n], asking); err != nil {
			return
		}
		_ = n
	}
}

// pass writes what may be written and fails where the connection is cut.
func (k *link) pass(to net.Conn, data []byte, asking bool) (int, error) {
	if asking {
		if one := k.silent.Load(); one > 0 && bytes.HasSuffix(data, []byte("COMMIT")) && rand.Int64N(one) == 0 {
			k.mute.Store(true)
		}
	} else if k.mute.Load() {
		k.mutes.Add(1)
		return 0, fmt.Errorf("answer not delivered: %w", io.ErrClosedPipe)
	}
	if k.limited {
		if left := k.left.Add(-int64(len(data))); left <= 0 {
			k.cuts.Add(1)
			part := max(0, int64(len(data))+left)
			_, _ = to.Write(data[:part])
			return 0, fmt.Errorf("cut: %w", io.ErrClosedPipe)
		}
	}
	return to.Write(data)
}
