package phpchild_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// age makes files old enough for opcache, which leaves those alone that may still be written.
func age(t *testing.T, dir string, hours int) {
	t.Helper()
	at := time.Now().Add(-time.Duration(hours) * time.Hour)
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, at, at)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A child finds what the one before has compiled, and a file that was changed since is compiled anew, whatever php.ini
// says.
func TestCompiledFilesAreKeptAndFollowTheirSources(t *testing.T) {
	if out, err := exec.Command(testserver.PHP(t), "-m").Output(); err != nil || !strings.Contains(string(out), "OPcache") {
		t.Fatalf("PHP has no extension Zend OPcache (package php-opcache): %v", err)
	}
	dir, _ := miniature(t)
	version := filepath.Join(dir, "core", "Version.php")
	age(t, dir, 3)
	careless := filepath.Join(t.TempDir(), "php")
	script := "#!/bin/sh\nexec " + testserver.PHP(t) + " -d opcache.validate_timestamps=0 \"$@\"\n"
	if err := os.WriteFile(careless, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	o := phpchild.Options{Dir: dir, Binary: careless, Compiled: phpchild.CompiledFolder([]string{t.TempDir()})}
	run := func() string {
		c, err := phpchild.Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Kill()
		return c.Hello().Matomo
	}
	compiled := func() (found []string) {
		_ = filepath.WalkDir(o.Compiled, func(path string, _ fs.DirEntry, _ error) error {
			if strings.HasSuffix(path, version+".bin") {
				found = append(found, path)
			}
			return nil
		})
		return found
	}
	if got := run(); got != "5.1.2" || len(compiled()) != 1 {
		t.Fatalf("Matomo %s, compiled %q; want 5.1.2 and one file", got, compiled())
	}
	before, err := os.Stat(compiled()[0])
	if err != nil {
		t.Fatal(err)
	}
	run()
	if after, err := os.Stat(compiled()[0]); err != nil || !os.SameFile(before, after) {
		t.Errorf("%v: what is compiled was not taken from the folder", err)
	}
	text, err := os.ReadFile(version)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(version, []byte(strings.ReplaceAll(string(text), "5.1.2", "5.1.3")), 0o644); err != nil {
		t.Fatal(err)
	}
	age(t, dir, 2)
	if got := run(); got != "5.1.3" {
		t.Errorf("Matomo %s, want 5.1.3: the file was changed", got)
	}
}

func TestCompiledFolderIsTheUsersAlone(t *testing.T) {
	open, linked, own := t.TempDir(), t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(open, "queuedtracking-php"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(open, "queuedtracking-php"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(linked, "queuedtracking-php")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(own, "queuedtracking-php")
	for range 2 { // made, then found
		if got := phpchild.CompiledFolder([]string{file, open, linked, own}); got != want {
			t.Errorf("folder %q, want %q", got, want)
		}
	}
	if info, err := os.Stat(want); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v; want a folder for its user alone", info.Mode(), err)
	}
	if got := phpchild.CompiledFolder([]string{file, open, linked}); got != "" {
		t.Errorf("folder %q, want none", got)
	}
}

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
