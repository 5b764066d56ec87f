package phpchild_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// Plugins are not to find passwords of this program among the variables.
func TestVariablesOfThisProgramStayHere(t *testing.T) {
	dir, _ := miniature(t)
	t.Setenv("QUEUEDTRACKING_REDIS_PASSWORD", "hidden")
	t.Setenv("MATOMO_SHOWN", "seen")
	seen := filepath.Join(t.TempDir(), "environment")
	php := filepath.Join(t.TempDir(), "php")
	script := "#!/bin/sh\nenv > " + seen + "\nexec " + testserver.PHP(t) + " \"$@\"\n"
	if err := os.WriteFile(php, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := phpchild.Start(t.Context(), phpchild.Options{Dir: dir, Binary: php})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	text, err := os.ReadFile(seen)
	if err != nil || strings.Contains(string(text), "hidden") || !strings.Contains(string(text), "MATOMO_SHOWN=seen") {
		t.Errorf("%v, variables\n%s\nwant MATOMO_SHOWN, and none of this program's", err, text)
	}
}
