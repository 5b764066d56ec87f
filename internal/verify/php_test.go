package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// PHP's side with Matomo in miniature.
func (s *site) php(t *testing.T) *phpSide {
	t.Helper()
	dir := t.TempDir()
	if err := demo.CopyFolder(os.DirFS("../../testdata/php"), "matomo", dir); err != nil {
		t.Fatal(err)
	}
	d := s.options.Config.Database()
	config := fmt.Sprintf("[database]\nunix_socket = %q\nusername = \"root\"\npassword = \"\"\ndbname = %q\n", d.Socket, d.Name)
	if err := os.Mkdir(filepath.Join(dir, "config"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config", "config.ini.php"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := newPHP(t.Context(), PHPOptions{
		Child: phpchild.Options{Dir: dir, Binary: testserver.PHP(t)}, DB: s.db, LockWait: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

// When a request is refused the child takes its batch back and tracks it again: what was given must be there then.
func TestWhatIsGivenStaysWhenABatchIsTrackedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.php(t)
	before := dump(t, s.db)
	if err := p.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.insert(t.Context(), "INSERT INTO matomo_option (option_name, option_value, autoload) VALUES (?, ?, ?)",
		"fingerprint_salt_1_2026-11-20", "given", "0"); err != nil {
		t.Fatal(err)
	}
	refused := page(2, "b")
	refused.Requests[0].Set("nasty", php.String("throw"))
	outcomes, err := p.track(t.Context(), whole(entriesOf(t, page(1, "a"), refused)))
	if err != nil || outcomes[0].refused || !outcomes[1].refused {
		t.Fatalf("outcomes %+v, %v; want the second one refused", outcomes, err)
	}
	rows, err := p.ask(t.Context(), "SELECT option_value FROM matomo_option "+
		"WHERE option_name LIKE 'fingerprint_salt_1_2026-11-20'")
	if err != nil || len(rows) != 1 {
		t.Errorf("%d rows of what was given, %v; want 1", len(rows), err)
	}
	written, err := p.wrote(t.Context())
	if err != nil || written["matomo_option"] != nil || written["matomo_log_visit"] == nil {
		t.Errorf("written %v, %v; want the visits and not what was given", written, err)
	}
	if err := p.end(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.unchanged(t, before)
}
