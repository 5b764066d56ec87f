package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// setVersion makes the installation one of another version of Matomo.
func (i *installation) setVersion(version string) {
	i.db.MustExec("UPDATE matomo_option SET option_value = ? WHERE option_name = 'version_core'", version)
}

// write makes a file in the installation's directory; the name uses slashes.
func (i *installation) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(i.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestProcessSaysNothingOfVersionsThatAreKnown(t *testing.T) {
	i := newInstallation(t)
	for _, version := range []string{"5.0.0", "5.0.3", "5.1.2", "5.2.0-b5", "5.7.1", "5.14.2"} {
		i.setVersion(version)
		if r := i.ok(t, "process"); r.stderr != "" {
			t.Errorf("%s: %s", version, r.stderr)
		}
	}
	six := newInstallationOfSix(t)
	for _, version := range []string{"6.0.0-b1", "6.0.0", "6.0.4"} {
		six.setVersion(version)
		if r := six.ok(t, "process"); r.stderr != "" {
			t.Errorf("%s: %s", version, r.stderr)
		}
	}
}

func TestProcessRefusesVersionsThatAreNotKnown(t *testing.T) {
	i := newInstallation(t)
	i.add(t, pageView("a"), 1)
	for version, want := range map[string]string{
		"4.16.1":  `Matomo 4.16.1 is not supported: the rows of 5.0 to 5.14 and 6.0 are known; --force-version`,
		"5.15.0":  `Matomo 5.15.0 is not supported`,
		"6.1.0":   `Matomo 6.1.0 is not supported`,
		"7.0.0":   `Matomo 7.0.0 is not supported`,
		"nothing": `Matomo nothing is not supported`,
		"":        `the version of Matomo is unknown (no option version_core); --force-version`,
	} {
		i.setVersion(version)
		r := i.run(t, []string{"process"})
		if r.status != statusFailed || strings.Count(r.stderr, "\n") != 1 || i.waiting(t) != 1 {
			t.Errorf("%q: exit status %d, %d sets wait: %s", version, r.status, i.waiting(t), r.stderr)
		}
		contains(t, r.stderr, want, "--force-version")
	}
	i.setVersion("5.15.0")
	r := i.ok(t, "process", "--force-version", "--force-num-requests-process-at-once", "1")
	contains(t, r.stdout, "Tracked: 1 of 1 request ")
	contains(t, r.stderr, "Matomo 5.15.0 is not supported", "going on because of --force-version")
}

// Everything that Matomo 6.0 switches on by itself is known, and none of it is left out in silence.
func TestProcessKnowsThePluginsOfSix(t *testing.T) {
	i := newInstallationOfSix(t)
	i.add(t, pageView("a"), 1)
	r := i.ok(t, "process", "--force-num-requests-process-at-once", "1", "-v")
	contains(t, r.stdout, "Tracked: 1 of 1 request ")
	if r.stderr != "" {
		t.Errorf("something to be said: %s", r.stderr)
	}
	contains(t, i.ok(t, "test").stdout, "69 active, none that tracks in a way that is not known",
		"table matomo_log_page_view_time", "table matomo_log_bot_request")
}

// A plugin is not known because Matomo's own global.ini.php lists it.
func TestProcessRefusesPluginsOfTheCoreThatAreNotKnown(t *testing.T) {
	i := newInstallationOfSix(t)
	i.add(t, pageView("a"), 1)
	const file = "config/global.ini.php"
	text, err := os.ReadFile(filepath.Join(i.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	i.write(t, file, strings.Replace(string(text), "[Plugins]\n", "[Plugins]\nPlugins[] = NextGreatThing\n", 1))

	i.write(t, "plugins/NextGreatThing/NextGreatThing.php",
		"<?php namespace Matomo\\Plugins\\NextGreatThing; class NextGreatThing {}")
	if r := i.ok(t, "process"); r.stderr != "" {
		t.Errorf("a plugin that does not track: %s", r.stderr)
	}
	i.write(t, "plugins/NextGreatThing/Tracker/BotRequestProcessor.php",
		"<?php class B extends \\Matomo\\Tracker\\BotRequestProcessor {}")
	for _, command := range []string{"process", "test"} {
		r := i.run(t, []string{command})
		if r.status != statusFailed {
			t.Errorf("%s: exit status %d", command, r.status)
		}
		contains(t, r.stdout+r.stderr, "NextGreatThing (processes requests of bots: Tracker/BotRequestProcessor.php)",
			"--ignore-plugins")
	}
	if i.waiting(t) != 1 {
		t.Error("the queue was touched")
	}
	r := i.ok(t, "process", "--ignore-plugins", "--force-num-requests-process-at-once", "1")
	contains(t, r.stderr, "plugin ignored", "plugin=NextGreatThing")
	contains(t, r.stdout, "Tracked: 1 of 1 request ")
}

// report is what test --json prints of versions.
type versionReport struct {
	Versions   map[string]string
	Behaviours []struct {
		Name, What, Since string
		Holds             bool
	}
}

func TestTestNamesVersionsAndBehaviours(t *testing.T) {
	for _, c := range []struct {
		install         func(*testing.T) *installation
		matomo, queued  string
		botRequests     bool
		line, otherLine string
	}{
		{
			newInstallation, "5.1.2", "5.1.1", false,
			"\nyes   5.1.0 ", "\nno    5.7.0 ",
		},
		{
			newInstallationOfSix, "6.0.0", "6.0.1", true,
			"\nyes   5.7.0 ", "\nyes   6.0.0 ",
		},
	} {
		i := c.install(t)
		r := i.ok(t, "test", "-v")
		contains(t, r.stdout, "Matomo's version                   "+c.matomo, "QueuedTracking's version           "+c.queued,
			"What Matomo "+c.matomo+" does", c.line, c.otherLine)
		lacks(t, i.ok(t, "test").stdout, "What Matomo")

		var report versionReport
		if err := json.Unmarshal([]byte(i.ok(t, "test", "--json").stdout), &report); err != nil {
			t.Fatal(err)
		}
		if report.Versions["matomo"] != c.matomo || report.Versions["queued_tracking"] != c.queued {
			t.Errorf("versions %v", report.Versions)
		}
		found := false
		for _, b := range report.Behaviours {
			if b.What == "" || b.Since == "" {
				t.Errorf("%+v", b)
			}
			if b.Name == "BotRequests" {
				found = true
				if b.Holds != c.botRequests {
					t.Errorf("Matomo %s: bot requests %v", c.matomo, b.Holds)
				}
			}
		}
		if !found {
			t.Errorf("behaviours %v", report.Behaviours)
		}
	}
}

func TestTestMentionsThatQueuedTrackingsVersionIsNotSeen(t *testing.T) {
	i := newInstallation(t)
	i.db.MustExec("DELETE FROM matomo_option WHERE option_name = 'version_QueuedTracking'")
	contains(t, i.ok(t, "test").stdout, "notice   QueuedTracking's version")
	i.write(t, "plugins/QueuedTracking/plugin.json", `{"name": "QueuedTracking", "version": "5.2.0"}`)
	contains(t, i.ok(t, "test").stdout, "ok       QueuedTracking's version           5.2.0")
}

// deviceDetector is the part of DeviceDetector.php that has the version.
func deviceDetector(version string) string {
	return "<?php\nnamespace DeviceDetector;\nclass DeviceDetector\n{\n    public const VERSION = '" + version + "';\n}\n"
}

func TestTestNamesDeviceDetectorsVersion(t *testing.T) {
	i := newInstallation(t)
	contains(t, i.ok(t, "test").stdout, "notice   device-detector's version          not to be seen")
	for version, want := range map[string]string{
		"6.3.2": "ok       device-detector's version          6.3.2\n",
		"6.5.1": "ok       device-detector's version          6.5.1\n",
		"6.1.0": "notice   device-detector's version          6.1.0, older than all that are known",
		"6.9.0": "notice   device-detector's version          6.9.0, newer than all that are known",
		"7.0.0": "notice   device-detector's version          7.0.0, newer than all that are known",
	} {
		i.write(t, "vendor/matomo/device-detector/DeviceDetector.php", deviceDetector(version))
		contains(t, i.ok(t, "test").stdout, want, "notice   device-detector's tables", "Browser.php")
		var report versionReport
		if err := json.Unmarshal([]byte(i.ok(t, "test", "--json").stdout), &report); err != nil {
			t.Fatal(err)
		}
		if got := report.Versions["device_detector"]; got != version {
			t.Errorf("--json: %q, want %q", got, version)
		}
	}
	remove(t, i.dir, "vendor/matomo/device-detector")
	r := i.run(t, []string{"test"})
	contains(t, r.stdout, "not ok   detection data", "skipped  device-detector's version")
}
