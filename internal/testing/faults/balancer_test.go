package faults

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// balancer passes each connection on to some node of a cluster, as HAProxy does that balances by number: connections of
// one worker, too, are on several nodes.
type balancer struct {
	host  string
	port  int
	nodes []*testserver.GaleraNode

	mu     sync.Mutex
	out    []bool                         // nodes that get no connections
	passed map[net.Conn]int               // to which node
	commit atomic.Pointer[func(node int)] // is called once, right after a COMMIT was sent
}

func newBalancer(t *testing.T, nodes []*testserver.GaleraNode) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	b := &balancer{
		host: "127.0.0.1", port: l.Addr().(*net.TCPAddr).Port, nodes: nodes,
		out: make([]bool, len(nodes)), passed: make(map[net.Conn]int),
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go b.serve(c)
		}
	}()
	return b
}

func (b *balancer) serve(client net.Conn) {
	defer client.Close()
	for _, i := range rand.Perm(len(b.nodes)) {
		if b.isOut(i) {
			continue
		}
		server, err := net.Dial("tcp", b.nodes[i].Addr)
		if err != nil {
			continue
		}
		defer server.Close()
		b.mu.Lock()
		b.passed[client] = i
		b.mu.Unlock()
		go func() {
			defer client.Close()
			defer server.Close()
			_ = b.pump(client, server, -1)
		}()
		_ = b.pump(server, client, i)
		b.mu.Lock()
		delete(b.passed, client)
		b.mu.Unlock()
		return
	}
}

// pump passes bytes on; node is the one that they are for, -1 for answers.
func (b *balancer) pump(to, from net.Conn, node int) error {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return err
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return err
		}
		if node >= 0 && bytes.HasSuffix(buffer[:n], []byte("COMMIT")) {
			if f := b.commit.Swap(nil); f != nil {
				(*f)(node)
				return errors.New("the node is gone")
			}
		}
	}
}

func (b *balancer) isOut(node int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out[node]
}

// take gives a node no more connections, and cuts those that it has.
func (b *balancer) take(node int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.out[node] = true
	for client, i := range b.passed {
		if i == node {
			_ = client.Close()
		}
	}
}

// give gives a node connections again.
func (b *balancer) give(node int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.out[node] = false
}

// spread cuts all connections, so that the new ones are on all nodes.
func (b *balancer) spread() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for client := range b.passed {
		_ = client.Close()
	}
}
