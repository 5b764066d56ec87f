package cmd

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/plugins"
)

// bootable makes an installation one that PHP can start, and returns a file with a line for each start of PHP.
func (i *installation) bootable(t *testing.T) (starts string) {
	t.Helper()
	php, err := exec.LookPath("php")
	if err != nil {
		t.Fatal("no php: install the package php-cli")
	}
	miniature, err := os.ReadFile("../testdata/php/inspect/miniature.php")
	if err != nil {
		t.Fatal(err)
	}
	i.write(t, "core/bootstrap.php", string(miniature))
	folder := t.TempDir()
	starts = filepath.Join(folder, "starts")
	wrapper := "#!/bin/sh\necho started >>" + starts + "\nexec " + php + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(folder, "php"), []byte(wrapper), 0o755); err != nil {
		t.Fatal(err)
	}
	i.env["QUEUEDTRACKING_PHP"], i.env["XDG_CACHE_HOME"] = filepath.Join(folder, "php"), folder
	return starts
}

// code is the main class of a plugin with an observer, which reading cannot tell from one that takes part.
func code(name, returned string) string {
	return "<?php namespace Piwik\\Plugins\\" + name + "; class " + name +
		" extends \\Piwik\\Plugin { public function registerEvents() { " +
		"$unused = 'Tracker.setVisitorIp'; return " + returned + "; } }"
}

func TestTestTellsHowPluginsWereJudged(t *testing.T) {
	i := newInstallation(t)
	starts := i.bootable(t)
	i.activate(t, "Excludes", code("Excludes", "['Tracker.isExcludedVisit' => 'x']"))
	i.write(t, "plugins/Excludes/plugin.json", `{"version": "1.2.3"}`)
	i.activate(t, "Silent", code("Silent", "[]"))

	var report struct{ Plugins []plugins.Verdict }
	r := i.run(t, []string{"test", "--json"})
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		t.Fatal(err)
	}
	found := map[string]plugins.Verdict{}
	for _, v := range report.Plugins {
		found[v.Name] = v
	}
	want := map[string]plugins.Verdict{
		"Excludes": {
			Name: "Excludes", Version: "1.2.3", Does: "listens to Tracker.isExcludedVisit",
			Tracks: plugins.PHP, FoundBy: plugins.Asked,
		},
		"Silent": {Name: "Silent", Tracks: plugins.Harmless, FoundBy: plugins.Asked},
		"Goals": {
			Name:    "Goals",
			Does:    "goals and conversions",
			Tracks:  plugins.Native,
			FoundBy: plugins.Named,
			Shipped: true,
		},
	}
	for name, w := range want {
		if diff := cmp.Diff(w, found[name]); diff != "" {
			t.Error(diff)
		}
	}
	r = i.run(t, []string{"test"})
	if r.status != statusFailed {
		t.Errorf("exit status %d", r.status)
	}
	contains(
		t,
		strings.Join(strings.Fields(r.stdout), " "),
		"not ok plugins",
		"PHP was asked: "+i.env["QUEUEDTRACKING_PHP"],
		"Excludes 1.2.3 listens to Tracker.isExcludedVisit PHP asked PHP",
		"Silent nothing harmless asked PHP",
	)
	lacks(t, r.stdout, "goals and conversions")
	contains(t, i.run(t, []string{"test", "-v"}).stdout, "goals and conversions")

	before := lines(t, starts)
	for range 2 {
		r = i.run(t, []string{"process"})
		if r.status != statusFailed {
			t.Errorf("exit status %d", r.status)
		}
		contains(t, r.stderr, "Excludes (listens to Tracker.isExcludedVisit)")
		lacks(t, r.stderr, "Silent")
	}
	if before != 3 || lines(t, starts) != before {
		t.Errorf(
			"PHP was started %d times by test and %d times by process, want 3 and 0",
			before,
			lines(t, starts)-before,
		)
	}
	delete(i.env, "QUEUEDTRACKING_PHP")
	contains(t, i.run(t, []string{"test"}).stdout, "PHP was not asked: no PHP was found")
	contains(t, i.run(t, []string{"process"}).stderr, "Excludes (", "Silent (")
}

func lines(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}
