package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// withPHP makes an installation that Matomo in miniature can track for (testdata/php/matomo).
func withPHP(t *testing.T) *installation {
	t.Helper()
	testserver.PHP(t)
	i := newInstallation(t)
	if err := demo.CopyFolder(os.DirFS("../testdata/php"), "matomo", i.dir); err != nil {
		t.Fatal(err)
	}
	i.writeSettings(t)
	for name := range i.env {
		if strings.HasPrefix(name, "QUEUEDTRACKING_DB_") {
			delete(i.env, name)
		}
	}
	return i
}

// version makes the installation one of another Matomo.
func (i *installation) version(t *testing.T, number string) {
	t.Helper()
	file := filepath.Join(i.dir, "core", "Version.php")
	text := "<?php\nnamespace Piwik;\nfinal class Version\n{\n    const VERSION = '" + number + "';\n}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	i.db.MustExec("UPDATE matomo_option SET option_value = ? WHERE option_name = 'version_core'", number)
}

// withoutPHP is an environment in which no PHP is found.
func withoutPHP(p *program) {
	there := p.lookupEnv
	p.lookupEnv = func(name string) (string, bool) {
		if name == "QUEUEDTRACKING_PHP" {
			return "/nowhere/php", true
		}
		return there(name)
	}
}

const unknownPlugin = "<?php\nclass Odd extends \\Piwik\\Plugin {\n" +
	"public function isTrackerPlugin() { return true; }\n" +
	"public function registerEvents() { return ['Tracker.newVisitorInformation' => 'change']; } }\n"

func TestProcessTracksThroughPHP(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, i *installation)
		args    []string
		says    []string // in the line that names the engine
	}{
		{"asked for", nil, []string{"--engine", "php"}, []string{"as --engine php asks for"}},
		{
			"an unknown plugin", func(t *testing.T, i *installation) { i.activate(t, "Odd", unknownPlugin) }, nil,
			[]string{"Odd"},
		},
		{"an unknown Matomo", func(t *testing.T, i *installation) { i.version(t, "6.1.0") }, nil, []string{"6.1.0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := withPHP(t)
			if c.prepare != nil {
				c.prepare(t, i)
			}
			i.fill(t, 60, 1)
			args := append([]string{"process", "--force-num-requests-process-at-once", "1", "--batch", "20"}, c.args...)
			r := i.ok(t, args...)
			contains(t, r.stdout, append(c.says, "Matomo's own PHP", "about 300 requests a second", "s of processor time")...)
			if n, written := i.waiting(t), i.count(t, "log_link_visit_action"); n != 0 || written == 0 {
				t.Errorf("%d sets wait, %d actions written; want none and some", n, written)
			}
			contains(t, i.ok(t, "monitor", "--once", "--warn", "100", "--crit", "200").stdout, "through Matomo's own PHP")
			var summary processSummary
			line := i.ok(t, append(args, "--json")...).stdout
			if err := json.Unmarshal([]byte(line), &summary); err != nil || summary.Engine != "php" {
				t.Errorf("engine %q in JSON, want php; %v: %s", summary.Engine, err, line)
			}
		})
	}
}

func TestProcessRefusesWhatNothingCanTrack(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, i *installation)
		args    []string
		says    []string
	}{
		{
			"an unknown plugin", func(t *testing.T, i *installation) { i.activate(t, "Odd", unknownPlugin) }, nil,
			[]string{"Odd", "--ignore-plugins", "/nowhere/php", "nothing was processed"},
		},
		{
			"an unknown Matomo", func(t *testing.T, i *installation) { i.version(t, "6.1.0") }, nil,
			[]string{"6.1.0", "--force-version", "/nowhere/php", "nothing was processed"},
		},
		{
			"natively", func(t *testing.T, i *installation) { i.activate(t, "Odd", unknownPlugin) },
			[]string{"--engine", "native"},
			[]string{"Odd", "--ignore-plugins", "--engine php"},
		},
		{"PHP asked for", nil, []string{"--engine", "php"}, []string{"/nowhere/php"}},
		{
			"another database", func(t *testing.T, i *installation) { i.env["QUEUEDTRACKING_DB_HOST"] = "localhost" },
			[]string{"--engine", "php"},
			[]string{"section [database]"},
		},
		{"no engine", nil, []string{"--engine", "java"}, []string{"auto, native or php"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := withPHP(t)
			if c.prepare != nil {
				c.prepare(t, i)
			}
			waiting := i.fill(t, 60, 1)
			r := i.run(t, append([]string{"process", "--force-num-requests-process-at-once", "1"}, c.args...), withoutPHP)
			if r.status == statusDone || i.count(t, "log_visit") != 0 || i.waiting(t) == 0 {
				t.Errorf("exit status %d, %d of %d wait", r.status, i.waiting(t), waiting)
			}
			contains(t, r.stderr, c.says...)
			if strings.Count(strings.TrimSpace(r.stderr), "\n") > 1 {
				t.Errorf("more than a line or two:\n%s", r.stderr)
			}
		})
	}
}
