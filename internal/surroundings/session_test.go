package surroundings

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testserver"
)

// Servers whose sessions begin otherwise than usual: rows are the same.
func TestRowsWhateverTheServersSettings(t *testing.T) {
	for _, test := range []struct {
		name  string
		flags []string
	}{
		{"usual", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			newSite(t, testserver.MariaDB(t, testserver.WithFlags(test.flags...))).tracksAll(t)
		})
	}
}
