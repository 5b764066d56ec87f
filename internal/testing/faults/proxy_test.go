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

	network sync.RWMutex // locked: nothing gets through, and nobody is told
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &proxy{target: target, host: "127.0.0.1", port: l.Addr().(*net.TCPAddr).Port}
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
	p.network.RLock() // a connection waits as long
	server, err := net.Dial("tcp", p.target)
	p.network.RUnlock()
	if err != nil {
		_ = client.Close()
		return
	}
	k := &link{proxy: p, client: client, server: server}
	if most := p.most.Load(); most > 0 {
		k.limited = true
		k.left.Store(1 + rand.Int64N(most))
	}
	go k.pump(server, client, true)
	k.pump(client, server, false)
}

func (k *link) close() {
	k.network.RLock()
	defer k.network.RUnlock()
	_ = k.client.Close()
	_ = k.server.Close()
}

func (k *link) pump(to, from net.Conn, asking bool) {
	defer k.close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || k.pass(to, buffer[:n], asking) != nil {
			return
		}
	}
}

// pass writes what may be written and fails where the connection is cut.
func (k *link) pass(to net.Conn, data []byte, asking bool) error {
	k.network.RLock()
	defer k.network.RUnlock()
	if asking {
		if one := k.silent.Load(); one > 0 && bytes.HasSuffix(data, []byte("COMMIT")) && rand.Int64N(one) == 0 {
			k.mute.Store(true)
		}
	} else if k.mute.Load() {
		k.mutes.Add(1)
		return fmt.Errorf("answer not delivered: %w", io.ErrClosedPipe)
	}
	if k.limited {
		if left := k.left.Add(-int64(len(data))); left <= 0 {
			k.cuts.Add(1)
			part := max(0, int64(len(data))+left)
			_, _ = to.Write(data[:part])
			return fmt.Errorf("cut: %w", io.ErrClosedPipe)
		}
	}
	_, err := to.Write(data)
	return err
}
