package faults

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// multiplexer is a proxy that knows MySQL's protocol, as ProxySQL, MaxScale and those of clouds do. It goes on with a
// client on another connection to the server, or to another server, whenever no transaction is under way.
type multiplexer struct {
	host    string
	port    int
	targets []string // servers with the same data

	forgets  bool          // what the session was told by SET; otherwise the new connection is told it again
	always   bool          // at every statement, not at every third
	noScript bool          // messages of several statements are refused
	idle     time.Duration // connections that say nothing for so long are cut; 0: they are not

	switched, cut atomic.Int64
}

// start lets it listen.
func (m *multiplexer) start(t *testing.T) *multiplexer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	m.host, m.port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				(&session{multiplexer: m, client: c}).run()
			}()
		}
	}()
	return m
}

// session is one client of it.
type session struct {
	*multiplexer
	client, server net.Conn
	login          []byte   // the client's answer to the greeting, a packet
	told           [][]byte // packets with SET
	answered       chan struct{}
	inTransaction  bool
}

func (s *session) run() {
	if s.connect(true) != nil {
		return
	}
	defer func() { _ = s.server.Close() }()
	for {
		if s.idle > 0 && !s.inTransaction {
			_ = s.client.SetReadDeadline(time.Now().Add(s.idle))
		}
		command, err := readPacket(s.client)
		if err != nil {
			if s.idle > 0 {
				s.cut.Add(1)
			}
			return
		}
		_ = s.client.SetReadDeadline(time.Time{})
		text := command[5:]
		if !s.inTransaction && (s.always || rand.IntN(3) == 0) {
			_ = s.server.Close()
			<-s.answered
			if s.connect(false) != nil {
				return
			}
			s.switched.Add(1)
		}
		switch {
		case bytes.HasPrefix(text, []byte("START TRANSACTION")):
			s.inTransaction = true
		case bytes.Equal(text, []byte("COMMIT")), bytes.Equal(text, []byte("ROLLBACK")):
			s.inTransaction = false
		case bytes.HasPrefix(text, []byte("SET ")) && !s.inTransaction && !s.forgets:
			s.told = append(s.told, command)
		}
		if _, err := s.server.Write(command); err != nil {
			return
		}
	}
}

// connect opens a connection to some server: the client's first one, for which the client logs in, or another one.
func (s *session) connect(first bool) (err error) {
	if s.server, err = net.Dial("tcp", s.targets[rand.IntN(len(s.targets))]); err != nil {
		return err
	}
	greeting, err := readPacket(s.server)
	if err != nil {
		return err
	}
	if first {
		if _, err := s.client.Write(greeting); err != nil {
			return err
		}
		if s.login, err = readPacket(s.client); err != nil {
			return err
		}
		if s.noScript {
			const multiStatements = 1 // in the third byte of the client's capabilities
			s.login[4+2] &^= multiStatements
		}
	}
	packet := s.login
	for { // until the server is content; without a password nothing depends on the greeting
		if _, err := s.server.Write(packet); err != nil {
			return err
		}
		answer, err := readPacket(s.server)
		if err != nil {
			return err
		}
		if first {
			if _, err := s.client.Write(answer); err != nil {
				return err
			}
		}
		if answer[4] == 0 || answer[4] == 0xff {
			break
		}
		if packet = []byte{0, 0, 0, answer[3] + 1}; first {
			if packet, err = readPacket(s.client); err != nil {
				return err
			}
		}
	}
	for _, command := range s.told {
		if _, err := s.server.Write(command); err != nil {
			return err
		}
		if _, err := readPacket(s.server); err != nil {
			return err
		}
	}
	s.answered = make(chan struct{})
	go func(server net.Conn, done chan struct{}) {
		_, _ = io.Copy(s.client, server)
		close(done)
	}(s.server, s.answered)
	return nil
}

// readPacket reads one packet with its head of four bytes. Longer ones than 16 MB do not occur.
func readPacket(r io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	packet := slices.Grow(head, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	packet = packet[:4+(int(head[0])|int(head[1])<<8|int(head[2])<<16)]
	_, err := io.ReadFull(r, packet[4:])
	return packet, err
}
