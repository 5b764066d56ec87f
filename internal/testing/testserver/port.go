package testserver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports below the range that systems hand out to outgoing connections, and low enough that a Redis cluster's bus port
// (10,000 above) is below it, too: a stopped server finds its port free when it comes back.
const (
	firstPort = 10_000
	lastPort  = 21_999
)

// freePort finds a TCP port of 127.0.0.1 that nobody listens on now.
func freePort() (int, error) {
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, errors.New("no free port on 127.0.0.1")
}
