package cmd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"sync"

	"github.com/queuedtracking/queuedtracking/internal/certificate"
	"github.com/queuedtracking/queuedtracking/replay"
)

// checkConnections looks at the connection to the database itself: how it is encrypted, and how many there may be.
func (c *testCommand) checkConnections(ctx context.Context) {
	d := c.conn.settings.database
	shown, checked, err := d.Certificate(ctx)
	switch {
	case err != nil:
		c.report.Fail("certificate", databaseError(ctx, d, c.conn.origin, err), "")
	case shown != nil:
		c.report.Certificate(shown, checked)
	}
	c.report.UnreadAuthorities(d.UnreadAuthorities(), "ssl_no_verify = 1")
	c.report.Connections(ctx, c.conn.db, replay.Connections, replay.MinConnections)
}

// certificates are those that servers have shown, which are connected to by several goroutines.
type certificates struct {
	mu    sync.Mutex
	shown []*x509.Certificate
}

func (c *certificates) add(state tls.ConnectionState) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shown = append(c.shown, state.PeerCertificates[0])
	return nil
}

// pick returns one, if possible one that has nothing but a Common Name; nil: there is none.
func (c *certificates) pick() *x509.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.shown, certificate.OnlyCommonName); i >= 0 {
		return c.shown[i]
	}
	if len(c.shown) > 0 {
		return c.shown[0]
	}
	return nil
}

// checkRedisCertificates looks at how the connections to Redis are encrypted.
func (c *testCommand) checkRedisCertificates() {
	t := c.conn.settings.redisTLS
	if shown := c.certificates.pick(); shown != nil {
		c.report.Certificate(shown, !t.skipVerify)
	}
	if t.skipVerify && t.ca != "" {
		_, err := certificate.Pool(t.ca, nil)
		c.report.UnreadAuthorities(err, "--redis-tls-skip-verify")
	}
}
