package main

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/build"
)

// versionOf asks a program which build it is.
func versionOf(t *testing.T, program string) (info build.Info) {
	t.Helper()
	if err := json.Unmarshal([]byte(run(t, "/", program, "version", "--json")), &info); err != nil {
		t.Fatal(err)
	}
	return info
}

// unoptimised builds of this module take half of the time; nothing but the version is asked of them. Libraries are
// those of the release.
const unoptimised = "-gcflags=github.com/queuedtracking/queuedtracking/...=-N -l"

// goBuild builds the program as people do.
func goBuild(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "queuedtracking")
	run(t, dir, "go", "build", "-trimpath", "-buildvcs=auto", "-ldflags=-s -w", "-o", program, ".")
	return program
}

// Wherever the source comes from the program tells the same version, commit and date.
func TestVersionCommitAndDateAreRightInEachForm(t *testing.T) {
	r := theRelease(t)
	repo := t.TempDir()
	run(t, repo, "git", "clone", "-q", string(built.repo), ".")
	tagged := repository(repo).head(t)
	check := func(form, program, version, commit string) {
		t.Helper()
		got := versionOf(t, program)
		date := "2026-11-30T17:39:35Z"
		if got.Version != version || got.Commit != commit || got.Date.Format("2006-01-02T15:04:05Z07:00") != date ||
			got.Modified {
			t.Errorf("%s: %+v, want version %s, commit %s, date %s", form, got, version, commit, date)
		}
	}
	check("release", r.named("linux_"+runtime.GOARCH), "0.1.0", tagged)
	check("checkout of a tag", goBuild(t, repo), "0.1.0", tagged)

	run(t, repo, "git", "commit", "-q", "--allow-empty", "-m", "second")
	commit := repository(repo).head(t)
	version := "0.1.1-0.20261130173935-" + commit[:12]
	check("checkout after a tag", goBuild(t, repo), version, commit)
	check("archive", goBuild(t, unpackedArchive(t, repo)), version, commit)
	modules := t.TempDir() // libraries are unpacked once: that is most of the work
	check("go install of a commit", goInstall(t, repo, modules, commit), version, commit[:12])

	got := versionOf(t, goInstall(t, repo, modules, "latest"))
	if got.Version != "0.1.0" || !strings.HasPrefix(got.Module, "h1:") {
		t.Errorf("go install of the latest version: %+v", got)
	}
}

// unpackedArchive is a folder with what "git archive" makes of the last commit.
func unpackedArchive(t *testing.T, repo string) string {
	dir := t.TempDir()
	tar := filepath.Join(t.TempDir(), "source.tar")
	run(t, repo, "git", "archive", "-o", tar, "HEAD")
	run(t, dir, "tar", "-xf", tar)
	return dir
}

// goInstall installs the program from a repository that stands for the one on the internet. Libraries come from the
// modules that this machine already has, and are unpacked into a folder.
func goInstall(t *testing.T, repo, modules, version string) string {
	t.Helper()
	bin := t.TempDir()
	cache := strings.TrimSpace(run(t, ".", "go", "env", "GOMODCACHE"))
	run(t, bin, "env", "GOBIN="+bin, "GOMODCACHE="+modules, "GOFLAGS=-modcacherw", "GONOSUMDB=*",
		"GOPROXY=file://"+cache+"/cache/download", "GONOPROXY=github.com/queuedtracking/*",
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_1=url.file://"+repo+".insteadOf",
		"GIT_CONFIG_VALUE_1=https://github.com/queuedtracking/queuedtracking",
		"go", "install", "-trimpath", unoptimised, "-ldflags=-s -w", "github.com/queuedtracking/queuedtracking@"+version)
	return filepath.Join(bin, "queuedtracking")
}

func TestBinaryIsStatic(t *testing.T) {
	r := theRelease(t)
	f, err := elf.Open(r.named("linux_" + runtime.GOARCH))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Error("the binary wants a dynamic linker")
	}
	if libraries, _ := f.ImportedLibraries(); len(libraries) > 0 {
		t.Errorf("the binary wants %v", libraries)
	}
}

// The same commit, somewhere else and with another umask and other flags in the environment.
func TestBuildingTwiceGivesTheSameBytes(t *testing.T) {
	first := theRelease(t)
	t.Setenv("GOFLAGS", "-buildvcs=false")
	repo := filepath.Join(t.TempDir(), "another", "place")
	if err := os.MkdirAll(repo, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, repo, "sh", "-c", "umask 077; git clone -q "+string(built.repo)+" .")
	second := release{source: repo, out: t.TempDir(), stage: t.TempDir(), arches: first.arches, log: os.Stderr}
	if err := second.all(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, got := sums(t, first.out), sums(t, second.out)
	if len(want) != 6 || len(got) != len(want) {
		t.Errorf("%d and %d files, want binary, SBOM, .deb, .rpm, extras, SHA256SUMS", len(want), len(got))
	}
	for name, sum := range want {
		if got[name] != sum {
			t.Errorf("%s differs", name)
		}
	}
}

func sums(t *testing.T, dir string) map[string][sha256.Size]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][sha256.Size]byte)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = sha256.Sum256(text)
	}
	return all
}

func TestChecksumsAreThoseOfAllFiles(t *testing.T) {
	r := theRelease(t)
	checked := run(t, r.out, "sha256sum", "-c", "SHA256SUMS")
	for name := range sums(t, r.out) {
		if name != "SHA256SUMS" && !strings.Contains(checked, name+": OK\n") {
			t.Errorf("%s has no checksum:\n%s", name, checked)
		}
	}
}

func TestSBOMNamesAllModules(t *testing.T) {
	r := theRelease(t)
	text, err := os.ReadFile(r.named("linux_" + runtime.GOARCH + ".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bom struct {
		BOMFormat, SpecVersion string
		Metadata               struct {
			Timestamp string
			Component component
		}
		Components []component
	}
	if err := json.Unmarshal(text, &bom); err != nil {
		t.Fatal(err)
	}
	if got := bom.Metadata.Component.PURL; got != "pkg:golang/github.com/queuedtracking/queuedtracking@v0.1.0" {
		t.Errorf("the program is %s", got)
	}
	if bom.Metadata.Timestamp != "2026-11-30T17:39:35Z" {
		t.Errorf("made at %s", bom.Metadata.Timestamp)
	}
	listed := run(t, r.out, "go", "version", "-m", r.named("linux_"+runtime.GOARCH))
	modules := 0
	for line := range strings.Lines(listed) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[0] != "dep" {
			continue
		}
		modules++
		if !slices.ContainsFunc(bom.Components, func(c component) bool {
			return c.Name == fields[1] && c.Version == fields[2] && len(c.Hashes) == 1 && len(c.Hashes[0].Content) == 64
		}) {
			t.Errorf("the SBOM lacks %s %s", fields[1], fields[2])
		}
	}
	if modules < 20 || len(bom.Components) != modules+1 {
		t.Errorf("%d components for %d modules and Go's own library", len(bom.Components), modules)
	}
}

func TestVersionsOfPackagesAreOrdered(t *testing.T) {
	needs(t, "dpkg", "dpkg")
	before := "0"
	for _, version := range []string{
		"0.0.0-20261130173935-2381b49383d2", "0.1.0-rc1", "0.1.0-rc1.0.20261130173935-2381b49383d2", "0.1.0",
		"0.1.1-0.20261130173935-2381b49383d2", "0.1.1", "0.2.0",
	} {
		got := packageVersion(version)
		if strings.Contains(got, "-") {
			t.Errorf("%s has a hyphen", got)
		}
		run(t, ".", "dpkg", "--compare-versions", before, "lt", got)
		before = got
	}
}
