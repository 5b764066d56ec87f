// Package certificate checks the certificates of servers as PHP's OpenSSL does: where a certificate has no other name,
// its Common Name counts, which crypto/tls does not look at.
package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
)

// Checking returns a copy of c for a connection to host that checks the server's certificate as PHP does: the chain up
// to an authority of c.RootCAs, or of the system's, and the name, which is c.ServerName or host. With
// c.InsecureSkipVerify any certificate will do. c.VerifyConnection is called after the check; it may be nil.
//
// The error of a handshake that fails is a *tls.CertificateVerificationError.
func Checking(c *tls.Config, host string) *tls.Config {
	checking := c.Clone()
	if checking.ServerName == "" {
		checking.ServerName = host
	}
	if c.InsecureSkipVerify {
		return checking
	}
	name, roots, then := checking.ServerName, c.RootCAs, c.VerifyConnection
	checking.InsecureSkipVerify = true // Go's own check, that is
	checking.VerifyConnection = func(state tls.ConnectionState) error {
		if err := check(state.PeerCertificates, roots, name); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
		}
		if then != nil {
			return then(state)
		}
		return nil
	}
	return checking
}

func check(chain []*x509.Certificate, roots *x509.CertPool, name string) error {
	if len(chain) == 0 {
		return fmt.Errorf("the server has shown no certificate")
	}
	server := chain[0]
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range chain[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := server.Verify(options); err != nil {
		return err
	}
	if !OnlyCommonName(server) {
		return server.VerifyHostname(name)
	}
	if !matches(server.Subject.CommonName, name) {
		return fmt.Errorf("the certificate is that of %q, not of %q", server.Subject.CommonName, name)
	}
	return nil
}

// OnlyCommonName reports whether a certificate names its server by the Common Name alone (no subjectAltName).
func OnlyCommonName(c *x509.Certificate) bool { return len(c.DNSNames)+len(c.IPAddresses) == 0 }

// matches compares a Common Name with a server's. It may begin with "*.", which stands for one label.
func matches(common, name string) bool {
	common, name = strings.ToLower(common), strings.ToLower(strings.TrimSuffix(name, "."))
	if domain, wild := strings.CutPrefix(common, "*."); wild {
		label, rest, found := strings.Cut(name, ".")
		return found && label != "" && rest == domain && strings.Contains(domain, ".")
	}
	return common != "" && common == name
}

// Pool reads authorities from PEM files. A file without a certificate is an error if it is named by itself, not as one
// of a folder.
func Pool(file string, folder []string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificate in %s", file)
		}
	}
	for _, name := range folder {
		pem, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		pool.AppendCertsFromPEM(pem)
	}
	return pool, nil
}
