package cmd

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// activate adds an active plugin whose main file has this text.
func (i *installation) activate(t *testing.T, name, text string) {
	t.Helper()
	i.reconfigure(t, "[Plugins]", "[Plugins]\nPlugins[] = "+name)
	folder := filepath.Join(i.dir, "plugins", name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".php"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestServeRefusesPluginsThatActAtReception(t *testing.T) {
	i := newInstallation(t)
	i.activate(t, "XMLTracking", "<?php return ['Tracker.initRequestSet' => 'x', 'Tracker.isExcludedVisit' => 'x'];")
	for _, args := range [][]string{{}, {"--without-database"}, {"--process"}} {
		r := i.run(t, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...))
		if r.status != statusFailed {
			t.Errorf("%v: exit status %d", args, r.status)
		}
		contains(t, r.stderr, "--ignore-plugins",
			"XMLTracking (listens to Tracker.initRequestSet)")
	}
	s := startServe(t, i.dir, i.env, "--ignore-plugins", "--process=false")
	if status, _ := s.get(t, hit(1)); status != http.StatusOK || i.waiting(t) != 1 {
		t.Errorf("status %d, %d sets wait", status, i.waiting(t))
	}
	contains(t, s.out.String(), "plugin ignored", "XMLTracking", "nothing is tracked in this process")
	s.stop(t)

	s = startServe(t, i.dir, i.env, "--ignore-plugins", "--process")
	s.until(t, func() bool { return i.waiting(t) == 0 })
}

// What plugins do when requests are tracked is the worker's business.
func TestServeReceivesForPluginsThatActWhenTracking(t *testing.T) {
	i := newInstallation(t)
	i.activate(t, "Excludes", "<?php return ['Tracker.isExcludedVisit' => 'x'];")
	s := startServe(t, i.dir, i.env)
	if status, _ := s.get(t, hit(1)); status != http.StatusOK || i.waiting(t) != 1 {
		t.Errorf("status %d, %d sets wait", status, i.waiting(t))
	}
	lacks(t, s.out.String(), "plugin ignored")
}
