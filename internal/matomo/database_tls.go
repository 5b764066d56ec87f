package matomo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/go-sql-driver/mysql"

	"github.com/queuedtracking/queuedtracking/internal/certificate"
)

// encrypt asks for TLS. With nothing but enable_ssl set PHP does not encrypt at all; then TLS is used where the server
// offers it, unchecked. Otherwise the server's certificate is checked, as PHP does, unless ssl_no_verify is set: then
// the authorities are not read.
func (d Database) encrypt(c *mysql.Config) error {
	nothingElse := d.SSLCA+d.SSLCAPath+d.SSLCert+d.SSLCipher == "" && !d.SSLNoVerify
	t := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: d.SSLNoVerify || nothingElse}
	c.AllowFallbackToPlaintext = nothingElse
	if !t.InsecureSkipVerify {
		var err error
		if t.RootCAs, err = d.authorities(); err != nil {
			return err
		}
	}
	if d.SSLCert != "" {
		pair, err := tls.LoadX509KeyPair(d.SSLCert, d.SSLKey)
		if err != nil {
			return fmt.Errorf("database client certificate: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil { // a socket
		host = "localhost"
	}
	c.TLS = certificate.Checking(t, host)
	return nil
}

// authorities are those that may have signed the server's certificate, nil for the system's.
func (d Database) authorities() (*x509.CertPool, error) {
	if d.SSLCA == "" && d.SSLCAPath == "" {
		return nil, nil
	}
	folder, err := d.authorityFiles()
	if err != nil {
		return nil, fmt.Errorf("database certificate authorities: %w", err)
	}
	pool, err := certificate.Pool(d.SSLCA, folder)
	if err != nil {
		return nil, fmt.Errorf("database certificate authority: %w", err)
	}
	return pool, nil
}

// authorityFiles lists the files of ssl_ca_path.
func (d Database) authorityFiles() (files []string, err error) {
	if d.SSLCAPath == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(d.SSLCAPath)
	for _, entry := range entries {
		if !entry.IsDir() {
			files = append(files, filepath.Join(d.SSLCAPath, entry.Name()))
		}
	}
	return files, err
}

// UnreadAuthorities tells what is wrong with the authorities although nobody reads them, because of ssl_no_verify.
func (d Database) UnreadAuthorities() error {
	if !d.EnableSSL || !d.SSLNoVerify {
		return nil
	}
	_, err := d.authorities()
	return err
}

// Certificate connects once more and returns the certificate that the server shows, nil where the connection is not
// encrypted. checked tells whether it was checked.
func (d Database) Certificate(ctx context.Context) (shown *x509.Certificate, checked bool, err error) {
	c, err := d.DriverConfig()
	if err != nil || c.TLS == nil {
		return nil, false, err
	}
	check := c.TLS.VerifyConnection
	c.TLS.VerifyConnection = func(state tls.ConnectionState) error {
		shown = state.PeerCertificates[0]
		if check == nil {
			return nil
		}
		return check(state)
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, false, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, false, err
	}
	return shown, check != nil, conn.Close()
}
