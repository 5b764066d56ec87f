package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// commitTime is when the only commits of the tests' repository were made.
const commitTime = "2026-11-30T18:39:35+01:00"

// repository is a git repository with what is in this working tree, whether it is a checkout or an archive itself.
type repository string

// environment lets git work with files of others, and gives commits a name and a time. Without cgo all builds share
// what is compiled for the release.
var environment = append(os.Environ(), "CGO_ENABLED=0",
	"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
	"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_AUTHOR_DATE="+commitTime,
	"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org", "GIT_COMMITTER_DATE="+commitTime)

// run runs a command in a folder and returns its output; a program that is missing is named with its package.
func run(t testing.TB, dir string, command ...string) string {
	t.Helper()
	c := exec.Command(command[0], command[1:]...)
	c.Dir, c.Env = dir, environment
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}

// needs ends the test when a program is missing.
func needs(t testing.TB, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("no %s: install package %s (scripts/install-servers.sh does)", program, pkg)
	}
}

// newRepository commits this source and tags it v0.1.0.
func newRepository(t testing.TB, dir string) repository {
	t.Helper()
	needs(t, "git", "git")
	source, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, "git", "init", "-q", "-b", "main")
	run(t, source, "git", "--git-dir="+dir+"/.git", "--work-tree="+source, "add", "-A")
	run(t, dir, "git", "commit", "-q", "-m", "first")
	run(t, dir, "git", "checkout", "-q", "-f")
	run(t, dir, "git", "tag", "v0.1.0")
	return repository(dir)
}

func (r repository) head(t testing.TB) string {
	return strings.TrimSpace(run(t, string(r), "git", "rev-parse", "HEAD"))
}

// built is the release that all tests look at, for this machine's architecture.
var built struct {
	once sync.Once
	repo repository
	release
}

// theRelease builds it once.
func theRelease(t testing.TB) *release {
	t.Helper()
	built.once.Do(func() {
		built.repo = newRepository(t, mkdir(t, "repo"))
		built.release = release{
			source: string(built.repo), out: mkdir(t, "out"), stage: mkdir(t, "stage"),
			arches: []string{runtime.GOARCH}, log: os.Stderr,
		}
		if err := built.all(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
	if built.build.Version == "" {
		t.Fatal("there is no release: see the test that failed first")
	}
	return &built.release
}

func TestMain(m *testing.M) {
	var err error
	if shared, err = os.MkdirTemp("", "queuedtracking-dist-test-"); err != nil {
		panic(err)
	}
	status := testserver.Run(m)
	_ = os.RemoveAll(shared)
	os.Exit(status)
}

// shared is a folder for what several tests use.
var shared string

func mkdir(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(shared, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
