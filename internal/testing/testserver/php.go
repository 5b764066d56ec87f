package testserver

import "testing"

// PHP is the command line's PHP. A test that needs it fails with the package's name where it is missing.
func PHP(t testing.TB) string {
	t.Helper()
	return program(t, "php", "php-cli php-mysql php-mbstring")
}
