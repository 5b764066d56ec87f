package plugins

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// miniature is a Matomo of our own, in its two namespaces.
func miniature(t *testing.T, root string) string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/php/inspect/miniature.php")
	if err != nil {
		t.Fatal(err)
	}
	if root == "Piwik" {
		return string(text)
	}
	return regexp.MustCompile(`\bPiwik(\\| \{)`).ReplaceAllString(string(text), root+"$1")
}

// install writes an installation of Matomo 5.1.2 with files and active plugins.
func install(t *testing.T, files map[string]string, active ...string) *matomo.Config {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{"config/config.ini.php": iniFile(active)}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
	}
	return load(t, dir, "5.1.2", nil)
}

func iniFile(active []string) string {
	return "[Plugins]\nPlugins[] = " + strings.Join(active, "\nPlugins[] = ") + "\n"
}

func load(t *testing.T, dir, version string, env map[string]string) *matomo.Config {
	t.Helper()
	c, err := matomo.Source{Dir: dir, LookupEnv: func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}}.Load()
	if err != nil {
		t.Fatal(err)
	}
	v, _ := matomo.ParseVersion(version)
	if c, err = c.For(matomo.Found{Version: v, QueuedTracking: c.PluginVersion("QueuedTracking")}); err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// phpBinary is the machine's own.
func phpBinary(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("php")
	if err != nil {
		t.Fatal("no php: install the package php-cli")
	}
	return path
}

// asking are options with the machine's PHP; starts counts how often it was looked for.
func asking(t *testing.T) (o Options, starts *int) {
	t.Helper()
	php := phpBinary(t)
	starts = new(int)
	return Options{
		FindPHP: func(context.Context) (string, error) { *starts++; return php, nil },
		Clock:   func() time.Time { return time.Unix(1_800_000_000, 0) },
	}, starts
}

func judge(t *testing.T, c *matomo.Config, o Options) Judgement {
	t.Helper()
	j, err := Judge(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// judgeAsked is the judgement by PHP, which must give it.
func judgeAsked(t *testing.T, c *matomo.Config) Judgement {
	t.Helper()
	o, _ := asking(t)
	j := judge(t, c, o)
	if !j.AskedPHP {
		t.Fatal(j.Unasked)
	}
	return j
}

// loop makes a link that leads to itself, which nobody can read.
func loop(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Base(path), path); err != nil {
		t.Fatal(err)
	}
}
