// Package proxy stands between a program and its servers, for tests: it passes bytes on, later if it is told to, as if
// the server were far away, counts them, and cuts connections.
package proxy

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy passes bytes on. All settings may be changed at any time.
type Proxy struct {
	Host string
	Port int

	RoundTrip atomic.Int64 // nanoseconds that a question and its answer are on their way; throughput is not limited
	Most      atomic.Int64 // connections live for up to so many bytes, 0 for ever
	Silent    atomic.Int64 // one in so many answers to COMMIT is cut, 0 for none

	Cuts, Mutes atomic.Int64 // connections cut, answers not delivered
	Bytes       atomic.Int64 // in both directions
	Questions   atomic.Int64 // messages to the server that follow an answer, or come first

	target string
}

// New makes a proxy for a server at this address, on 127.0.0.1.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &Proxy{target: target, Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
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
	*Proxy
	client, server net.Conn
	left           atomic.Int64 // bytes until it is cut
	limited        bool
	mute           atomic.Bool // the next answer is not delivered
	asking         atomic.Bool // the last bytes were the client's
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	k := &link{Proxy: p, client: client, server: server}
	if most := p.Most.Load(); most > 0 {
		k.limited = true
		k.left.Store(1 + rand.Int64N(most))
	}
	go k.pump(server, client, true)
	k.pump(client, server, false)
}

func (k *link) close() {
	_ = k.client.Close()
	_ = k.server.Close()
}

// parcel is what is on its way.
type parcel struct {
	data []byte
	sent time.Time
}

// inTransit bounds the parcels of one direction: at 64 KiB each it is no limit to what can be measured.
const inTransit = 1024

func (k *link) pump(to, from net.Conn, asking bool) {
	way := make(chan parcel, inTransit)
	go func() {
		for p := range way {
			time.Sleep(time.Until(p.sent.Add(time.Duration(k.RoundTrip.Load()) / 2)))
			if k.pass(to, p.data, asking) != nil {
				break
			}
		}
		k.close()
		for range way { // until the reader has noticed
		}
	}()
	defer close(way)
	for {
		buffer := make([]byte, 64<<10)
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		k.Bytes.Add(int64(n))
		if !k.asking.Swap(asking) && asking {
			k.Questions.Add(1)
		}
		way <- parcel{buffer[:n], time.Now()}
	}
}

// pass writes what may be written and fails where the connection is cut.
func (k *link) pass(to net.Conn, data []byte, asking bool) error {
	if asking {
		if one := k.Silent.Load(); one > 0 && bytes.HasSuffix(data, []byte("COMMIT")) && rand.Int64N(one) == 0 {
			k.mute.Store(true)
		}
	} else if k.mute.Load() {
		k.Mutes.Add(1)
		return fmt.Errorf("answer not delivered: %w", io.ErrClosedPipe)
	}
	if k.limited {
		if left := k.left.Add(-int64(len(data))); left <= 0 {
			k.Cuts.Add(1)
			part := max(0, int64(len(data))+left)
			_, _ = to.Write(data[:part])
			return fmt.Errorf("cut: %w", io.ErrClosedPipe)
		}
	}
	_, err := to.Write(data)
	return err
}
