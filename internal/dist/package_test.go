package main

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// machine is a folder that dpkg takes for a machine's root.
type machine string

// newMachine is one with an empty database of packages.
func newMachine(t *testing.T) machine {
	t.Helper()
	return newMachineAt(t, t.TempDir())
}

func newMachineAt(t *testing.T, dir string) machine {
	t.Helper()
	needs(t, "dpkg", "dpkg")
	m := machine(dir)
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "etc", "tmp"} {
		if err := os.MkdirAll(m.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"status", "available"} {
		m.write(t, "var/lib/dpkg/"+file, "")
	}
	return m
}

var theMachine struct {
	once sync.Once
	machine
}

// installed is a machine with the release's package, for tests that change nothing on it.
func installed(t *testing.T) machine {
	t.Helper()
	theMachine.once.Do(func() {
		m := newMachineAt(t, mkdir(t, "machine"))
		m.dpkg(t, "-i", deb(t, "0.1.0"))
		theMachine.machine = m
	})
	if theMachine.machine == "" {
		t.Fatal("there is no machine: see the test that failed first")
	}
	return theMachine.machine
}

func (m machine) path(name string) string { return filepath.Join(string(m), name) }

func (m machine) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(m.path(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (m machine) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(m.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (m machine) has(name string) bool {
	_, err := os.Lstat(m.path(name))
	return err == nil
}

// dpkg runs dpkg on the machine. The scripts of the package run outside of it, with DPKG_ROOT. Files that images of
// containers leave out are wanted here.
func (m machine) dpkg(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, string(m), append(m.dpkgCommand(t), args...)...)
}

// dpkgCommand is dpkg with the flags that make it work on the machine.
func (m machine) dpkgCommand(t *testing.T) []string {
	t.Helper()
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Fatal(err)
	}
	command := []string{
		dpkg, "--root=" + string(m), "--force-script-chrootless", "--force-architecture", "--force-confdef",
		"--path-include=*", "--log=" + m.path("dpkg.log"),
	}
	if os.Getuid() != 0 {
		needs(t, "fakeroot", "fakeroot")
		command = append([]string{"fakeroot"}, append(command, "--force-not-root")...)
	}
	return command
}

// state is what dpkg says of the package: "installed", "config-files", "" for unknown.
func (m machine) state(t *testing.T) string {
	t.Helper()
	if !strings.Contains(m.read(t, "var/lib/dpkg/status"), "Package: queuedtracking\n") {
		return ""
	}
	return run(t, string(m), "dpkg-query", "--admindir="+m.path("var/lib/dpkg"), "-W", "-f", "${db:Status-Status}",
		"queuedtracking")
}

// deb is the package of a version for this machine. Those that are not of the release have another environment file.
func deb(t *testing.T, version string) string {
	t.Helper()
	r := *theRelease(t)
	if version != r.build.Version {
		r.out, r.stage = t.TempDir(), t.TempDir()
		if err := os.CopyFS(r.stage, os.DirFS(built.stage)); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(r.stage, "environment"))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.write("environment", append([]byte("# of version "+version+"\n"), text...)); err != nil {
			t.Fatal(err)
		}
		if err := r.pack(t.Context(), version, "deb"); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(r.out, "queuedtracking_"+version+"_"+runtime.GOARCH+".deb")
}

const (
	settings = "etc/queuedtracking/environment"
	program  = "usr/bin/queuedtracking"
	spool    = "var/lib/queuedtracking"
)

func TestPackageHasWhatBelongsIntoIt(t *testing.T) {
	m := installed(t)
	want := map[string]fs.FileMode{
		program:  0o755,
		settings: 0o600,
		"usr/share/bash-completion/completions/queuedtracking":    0o644,
		"usr/share/zsh/vendor-completions/_queuedtracking":        0o644,
		"usr/share/fish/vendor_completions.d/queuedtracking.fish": 0o644,
		"usr/share/queuedtracking/alerts.yml":                     0o644,
		"usr/share/queuedtracking/alerts_test.yml":                0o644,
		"usr/share/queuedtracking/dashboard.json":                 0o644,
		"usr/share/doc/queuedtracking/changelog.gz":               0o644,
		"usr/share/doc/queuedtracking/copyright":                  0o644,
		"usr/share/doc/queuedtracking/licences.txt":               0o644,
		"usr/share/doc/queuedtracking/environment.example":        0o644,
		"usr/lib/systemd/system/queuedtracking.service":           0o644,
		"usr/lib/systemd/system/queuedtracking-process.service":   0o644,
		"usr/lib/systemd/system/queuedtracking-process.timer":     0o644,
		"usr/lib/systemd/system/queuedtracking-serve.service":     0o644,
		"usr/lib/systemd/system/queuedtracking-serve.socket":      0o644,
		"usr/share/man/man1/queuedtracking.1.gz":                  0o644,
		"usr/share/man/man1/queuedtracking-process.1.gz":          0o644,
		"usr/share/man/man1/queuedtracking-settings.1.gz":         0o644,
		"usr/share/man/man1/queuedtracking-failed-retry.1.gz":     0o644,
		"usr/share/man/man1/queuedtracking-completion-fish.1.gz":  0o644,
	}
	got := make(map[string]fs.FileMode)
	err := fs.WalkDir(os.DirFS(string(m)), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(name, "var/lib/dpkg/") || name == "dpkg.log" {
			return err
		}
		info, err := entry.Info()
		if _, named := want[name]; named || !strings.HasPrefix(name, "usr/share/man/man1/queuedtracking-") {
			got[name] = info.Mode()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] != want[name] {
			t.Errorf("%s has mode %v, want %v", name, got[name], want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
	if m.has("etc/systemd") {
		t.Error("something is enabled")
	}
	if got := versionOf(t, m.path(program)).Version; got != "0.1.0" {
		t.Errorf("the program is version %s", got)
	}
}

func TestUpgradeKeepsSettings(t *testing.T) {
	before, now := deb(t, "0.0.9"), deb(t, "0.1.0")
	m := newMachine(t)
	m.dpkg(t, "-i", before)
	if text := m.read(t, settings); !strings.Contains(text, "# of version 0.0.9") {
		t.Fatalf("settings of 0.0.9:\n%s", text)
	}
	m.dpkg(t, "-i", now)
	text := m.read(t, settings)
	if strings.Contains(text, "0.0.9") || !strings.Contains(text, "MATOMO_DIR=/var/www/matomo") {
		t.Errorf("settings that nobody has changed are not those of the new version:\n%s", text)
	}

	m = newMachine(t)
	m.dpkg(t, "-i", before)
	m.write(t, settings, "MATOMO_DIR=/srv/matomo\n")
	m.dpkg(t, "-i", now)
	if text := m.read(t, settings); text != "MATOMO_DIR=/srv/matomo\n" {
		t.Errorf("settings that were changed:\n%s", text)
	}
	if got := m.state(t); got != "installed" {
		t.Errorf("the package is %q", got)
	}
	if got := m.dpkg(t, "-s", "queuedtracking"); !strings.Contains(got, "\nVersion: 0.1.0\n") {
		t.Errorf("dpkg says:\n%s", got)
	}
}

func TestRemovalKeepsSettingsAndPurgeDoesNot(t *testing.T) {
	m := newMachine(t)
	m.dpkg(t, "-i", deb(t, "0.1.0"))
	m.dpkg(t, "-r", "queuedtracking")
	got := m.state(t)
	if got != "config-files" || m.has(program) || m.has("usr/share/queuedtracking") || !m.has(settings) {
		t.Errorf("removed: dpkg says %q, program there: %v, settings there: %v", got, m.has(program), m.has(settings))
	}
	m.dpkg(t, "-P", "queuedtracking")
	if got := m.state(t); got != "" || m.has("etc/queuedtracking") || m.has("usr/share/doc/queuedtracking") {
		t.Errorf("purged: dpkg says %q, settings there: %v", got, m.has("etc/queuedtracking"))
	}
}

// Requests in the spool of serve have not been tracked yet.
func TestPurgeKeepsASpoolThatHoldsRequests(t *testing.T) {
	m := newMachine(t)
	for _, empty := range []bool{true, false} {
		m.dpkg(t, "-i", deb(t, "0.1.0"))
		if err := os.MkdirAll(m.path(spool), 0o750); err != nil {
			t.Fatal(err)
		}
		if !empty {
			m.write(t, spool+"/0001", "requests")
		}
		said := m.dpkg(t, "-P", "queuedtracking")
		if m.has(spool) == empty || strings.Contains(said, "is kept") == empty {
			t.Errorf("empty: %v, there afterwards: %v; dpkg said:\n%s", empty, m.has(spool), said)
		}
	}
}

// unitsOf are the units on a machine.
func unitsOf(t *testing.T, m machine) []string {
	t.Helper()
	units, err := filepath.Glob(m.path("usr/lib/systemd/system/*"))
	if err != nil || len(units) == 0 {
		t.Fatalf("units %v: %v", units, err)
	}
	return units
}

func TestUnitsAreCorrect(t *testing.T) {
	needs(t, "systemd-analyze", "systemd")
	m := installed(t)
	dir := t.TempDir()
	var copies []string
	for _, unit := range unitsOf(t, m) { // systemd looks for programs where the package would put them
		text := m.read(t, strings.TrimPrefix(unit, string(m)))
		text = strings.ReplaceAll(text, "=/usr/bin/queuedtracking ", "="+m.path(program)+" ")
		file := filepath.Join(dir, filepath.Base(unit))
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		copies = append(copies, file)
	}
	said := run(t, dir, append([]string{"systemd-analyze", "verify", "--man=no"}, copies...)...)
	for line := range strings.Lines(said) {
		if strings.Contains(line, "queuedtracking") {
			t.Errorf("systemd-analyze verify: %s", line)
		}
	}
	for _, unit := range copies {
		if filepath.Ext(unit) == ".service" { // of 100; fails when a service may do more
			run(t, dir, "systemd-analyze", "security", "--offline=yes", "--threshold=20", unit)
		}
	}
}

var startLine = regexp.MustCompile(`(?m)^ExecStart=(/usr/bin/queuedtracking) (.*?)(?: \$\w+)?$`)

// What units start has flags that exist, and every page that they name is there.
func TestUnitsStartWhatExists(t *testing.T) {
	m := installed(t)
	page := regexp.MustCompile(`man:([\w-]+)\((\d)\)`)
	started := 0
	for _, unit := range unitsOf(t, m) {
		text := m.read(t, strings.TrimPrefix(unit, string(m)))
		for _, match := range startLine.FindAllStringSubmatch(text, -1) {
			started++
			run(t, "/", append(append([]string{m.path(program)}, strings.Fields(match[2])...), "--help")...)
		}
		for _, match := range page.FindAllStringSubmatch(text, -1) {
			if file := "usr/share/man/man" + match[2] + "/" + match[1] + "." + match[2] + ".gz"; !m.has(file) {
				t.Errorf("%s names the page %s, which is not there", filepath.Base(unit), file)
			}
		}
	}
	if started != 3 {
		t.Errorf("%d services", started)
	}
}

// flagsOfExample are the flags in the environment file, also those that are commented out.
var flagsOfExample = regexp.MustCompile(`(?m)^#?(PROCESS|SERVE)_FLAGS="(.*)"$`)

func TestFlagsOfTheEnvironmentFileExist(t *testing.T) {
	m := installed(t)
	examples := flagsOfExample.FindAllStringSubmatch(m.read(t, settings), -1)
	if len(examples) != 4 {
		t.Errorf("examples %q", examples)
	}
	for _, match := range examples {
		command := []string{m.path(program), strings.ToLower(match[1])}
		run(t, "/", append(append(command, strings.Fields(match[2])...), "--help")...)
	}
}

// rendered is a manual page as people see it, with groff's warnings.
func rendered(t *testing.T, page string) string {
	t.Helper()
	return run(t, "/", "env", "MANWIDTH=80", "LC_ALL=C.UTF-8", "MANROFFOPT=-c", "man", "--warnings", "-P", "cat", "-l",
		page)
}

func TestManualPagesRender(t *testing.T) {
	needs(t, "man", "man-db")
	m := installed(t)
	pages, err := filepath.Glob(m.path("usr/share/man/man1/*.gz"))
	if err != nil || len(pages) < 20 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	for _, page := range pages {
		text := rendered(t, page)
		for _, want := range []string{"NAME\n", "SYNOPSIS\n", "DESCRIPTION\n", "queuedtracking 0.1.0"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", filepath.Base(page), want, text)
			}
		}
		if regexp.MustCompile(`warning|\\[f_<>~*]|####|` + "```").MatchString(text) {
			t.Errorf("%s:\n%s", filepath.Base(page), text)
		}
	}
	process := rendered(t, m.path("usr/share/man/man1/queuedtracking-process.1.gz"))
	for _, want := range []string{"Nov 2026", "--queue-id=queue", "dead_letters", "* * * * * cd /var/www/matomo"} {
		if !strings.Contains(process, want) {
			t.Errorf("the page of process lacks %q:\n%s", want, process)
		}
	}
}

func TestCompletionsAreScriptsOfTheirShell(t *testing.T) {
	m := installed(t)
	needs(t, "bash", "bash")
	file := m.path("usr/share/bash-completion/completions/queuedtracking")
	run(t, "/", "bash", "-n", file)
	said := run(t, "/", "bash", "-c", ". "+file+"; complete -p queuedtracking")
	if !strings.Contains(said, "__start_queuedtracking") {
		t.Errorf("bash completes with %s", said)
	}
}

var (
	documentPath = regexp.MustCompile(`/(?:usr/share|usr/lib|etc)/queuedtracking[\w./-]*`)
	documentUnit = regexp.MustCompile(`queuedtracking[\w-]*\.(?:service|timer|socket)`)
)

// What docs/install.md names is in the package, and its command for checksums works.
func TestInstallDocumentNamesWhatThePackageHas(t *testing.T) {
	m := installed(t)
	text, err := os.ReadFile("../../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	paths, units := documentPath.FindAllString(string(text), -1), documentUnit.FindAllString(string(text), -1)
	for _, unit := range units {
		paths = append(paths, "/usr/lib/systemd/system/"+unit)
	}
	if len(paths) < 8 {
		t.Errorf("only %q", paths)
	}
	for _, path := range paths {
		if path = strings.TrimRight(path, "."); !m.has(path) {
			t.Errorf("docs/install.md names %s, which the package does not have", path)
		}
	}
	const verify = "sha256sum --ignore-missing -c SHA256SUMS"
	if !strings.Contains(string(text), "\n    "+verify+"\n") {
		t.Errorf("docs/install.md does not tell: %s", verify)
	}
	run(t, built.out, strings.Fields(verify)...)
}

func TestAlertRulesOfThePackagePassTheirTests(t *testing.T) {
	needs(t, "promtool", "prometheus")
	m := installed(t)
	run(t, "/", "promtool", "test", "rules", m.path("usr/share/queuedtracking/alerts_test.yml"))
}
