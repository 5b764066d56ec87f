package matomo

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
)

func TestWatchNamesTheFileThatHasChanged(t *testing.T) {
	const config, hosts = "config/config.ini.php", "config/stats.example.org.config.ini.php"
	write := func(name, text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			file := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			later := time.Now().Add(time.Minute)
			if err := os.Chtimes(file, later, later); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name   string
		change func(t *testing.T, dir string)
		want   string
	}{
		{"nothing", func(*testing.T, string) {}, ""},
		{"same text, written again", write(config, "[General]\nsalt = a\n"), ""},
		{"another value of the same length", write(config, "[General]\nsalt = b\n"), config},
		{"longer", write(config, "[General]\nsalt = long\n"), config},
		{"a file of all installations", write("config/common.config.ini.php", ""), "config/common.config.ini.php"},
		{"overrides", write("config/config.php", "<?php"), "config/config.php"},
		{"a file of the host's own", write(hosts, ""), hosts},
		{"update", write("core/Version.php", "<?php"), "core/Version.php"},
		{"locations", write("misc/DBIP-City.mmdb", "new"), "misc/DBIP-City.mmdb"},
		{"new locations", write("misc/other.mmdb", "x"), "misc/other.mmdb"},
		{"gone", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "config", "config.ini.php")); err != nil {
				t.Fatal(err)
			}
		}, config},
		{"locations gone", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "misc", "DBIP-City.mmdb")); err != nil {
				t.Fatal(err)
			}
		}, "misc/DBIP-City.mmdb"},
	} {
		dir := writeFiles(t, map[string]string{config: "[General]\nsalt = a\n", "misc/DBIP-City.mmdb": "old"})
		w := Source{Dir: dir, Host: "stats.example.org"}.NewWatch()
		test.change(t, dir)
		if got := w.Files(); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
		if got := w.Files(); test.want == "" && got != "" {
			t.Errorf("%s: %q at the second look", test.name, got)
		}
	}
}

// Databases of locations are too large to be read at each look: their time counts.
func TestWatchGoesByTheTimeOfLargeFiles(t *testing.T) {
	dir := writeFiles(t, map[string]string{"config/config.ini.php": "", "misc/x.mmdb": string(make([]byte, maxSummed+1))})
	w := Source{Dir: dir}.NewWatch()
	if got := w.Files(); got != "" {
		t.Error(got)
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(dir, "misc", "x.mmdb"), later, later); err != nil {
		t.Fatal(err)
	}
	if got := w.Files(); got != "misc/x.mmdb" {
		t.Errorf("got %q", got)
	}
}

func TestWatchNamesTheOptionThatHasChanged(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		look := func(w *Watch, i *Installation) string {
			t.Helper()
			changed, err := w.Options(context.Background(), i)
			if err != nil {
				t.Fatal(err)
			}
			return changed
		}
		mustExec(t, db, "DELETE FROM m_option WHERE option_name = 'version_core'")
		mustExec(t, db, "INSERT INTO m_option VALUES ('version_core', '5.1.2', 1), ('version_QueuedTracking', '5.1.1', 1)")
		i := open(t, db, newClock(), "")
		w := Source{Dir: t.TempDir()}.NewWatch()
		mustExec(t, db, "INSERT INTO m_option VALUES ('any', 'x', 1)")
		for range 2 {
			if got := look(w, i); got != "" {
				t.Errorf("%q has not changed", got)
			}
		}
		for _, change := range [][2]string{
			{
				"UPDATE m_option SET option_value = '5.1.2' WHERE option_name = 'version_QueuedTracking'",
				"version_QueuedTracking",
			},
			{"INSERT INTO m_option VALUES ('usercountry.location_provider', 'geoip2php', 0)", "usercountry.location_provider"},
			{"DELETE FROM m_option WHERE option_name = 'version_QueuedTracking'", "version_QueuedTracking"},
			{"UPDATE m_option SET option_value = '5.2.0' WHERE option_name = 'version_core'", "version_core"},
		} {
			mustExec(t, db, change[0])
			if got := look(w, i); got != change[1] {
				t.Errorf("%s: %q", change[0], got)
			}
		}
		// An update between the opening and the first look.
		if got := look(Source{Dir: t.TempDir()}.NewWatch(), i); got != "version_core" {
			t.Errorf("%q", got)
		}
	})
}
