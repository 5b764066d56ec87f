package selftest

import (
	"crypto/x509"
	"fmt"

	"github.com/queuedtracking/queuedtracking/internal/certificate"
)

// Certificate notes the certificate that a server has shown, and whether it was checked.
func (r *Report) Certificate(shown *x509.Certificate, checked bool) {
	const name = "certificate"
	switch {
	case !checked:
		r.Notice(name, "encrypted, but any certificate is accepted",
			"name the authority that has signed it, and have it checked")
	case certificate.OnlyCommonName(shown):
		detail := fmt.Sprintf("that of %s by its Common Name alone, accepted as PHP does", shown.Subject.CommonName)
		r.Notice(name, detail, "give it a subjectAltName when it is renewed: programs that are stricter refuse it")
	default:
		r.OK(name, "encrypted, and the certificate is the server's")
	}
}

// UnreadAuthorities notes that a file of authorities cannot be read although it need not be.
func (r *Report) UnreadAuthorities(err error, setting string) {
	if err != nil {
		r.Notice("authorities", err.Error(), "nobody reads it as long as "+setting+" accepts any certificate")
	}
}
