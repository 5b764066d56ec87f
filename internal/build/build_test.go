package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	hash = "2381b49383d2e1b7d99c308ad29cd96bd81b84fa"
	sum  = "h1:wYKICOnvMALZcoGM20TcP9QuIV+Fb9fmLH364HyTvDQ="
)

var date = time.Date(2026, 11, 30, 17, 39, 35, 0, time.UTC)

// inArchive is archive.txt as "git archive" writes it.
func inArchive(describe string) string {
	return "commit " + hash + "\ndate 2026-11-30T18:39:35+01:00\ndescribe " + describe + "\n"
}

func TestVersionCommitAndDateOfEachForm(t *testing.T) {
	checkout := []debug.BuildSetting{
		{Key: "vcs.revision", Value: hash}, {Key: "vcs.time", Value: "2026-11-30T17:39:35Z"},
	}
	changed := append([]debug.BuildSetting{{Key: "vcs.modified", Value: "true"}}, checkout...)
	for _, test := range []struct {
		name     string
		module   debug.Module
		settings []debug.BuildSetting
		archive  string
		want     Info
	}{
		// git checkouts
		{"tag", debug.Module{Version: "v0.1.0"}, checkout, archive, Info{Version: "0.1.0", Commit: hash, Date: date}},
		{
			"after a tag",
			debug.Module{Version: "v0.1.1-0.20261130173935-2381b49383d2"},
			checkout, archive,
			Info{Version: "0.1.1-0.20261130173935-2381b49383d2", Commit: hash, Date: date},
		},
		{
			"changed",
			debug.Module{Version: "v0.1.0+dirty"},
			changed, archive,
			Info{Version: "0.1.0+dirty", Commit: hash, Date: date, Modified: true},
		},
		{
			"a Go that makes no version",
			debug.Module{Version: "(devel)"},
			checkout, archive,
			Info{Version: "0.0.0-20261130173935-2381b49383d2", Commit: hash, Date: date},
		},
		// archives
		{"archive of a tag", debug.Module{}, nil, inArchive("v0.1.0"), Info{Version: "0.1.0", Commit: hash, Date: date}},
		{
			"archive after a tag",
			debug.Module{},
			nil, inArchive("v0.1.9-14-g2381b49"),
			Info{Version: "0.1.10-0.20261130173935-2381b49383d2", Commit: hash, Date: date},
		},
		{
			"archive of a release candidate",
			debug.Module{},
			nil, inArchive("v1.0.0-rc1"),
			Info{Version: "1.0.0-rc1", Commit: hash, Date: date},
		},
		{
			"archive after a release candidate",
			debug.Module{},
			nil, inArchive("v1.0.0-rc1-2-g2381b49"),
			Info{Version: "1.0.0-rc1.0.20261130173935-2381b49383d2", Commit: hash, Date: date},
		},
		{
			"archive without tags",
			debug.Module{},
			nil, inArchive(""),
			Info{Version: "0.0.0-20261130173935-2381b49383d2", Commit: hash, Date: date},
		},
		{
			"archive by an old git",
			debug.Module{},
			nil, inArchive("%(describe:tags=true)"),
			Info{Version: "0.0.0-20261130173935-2381b49383d2", Commit: hash, Date: date},
		},
		{
			"archive in somebody's repository",
			debug.Module{Version: "v9.0.0"},
			checkout, inArchive("v0.1.0"),
			Info{Version: "0.1.0", Commit: hash, Date: date},
		},
		// go install
		{"module", debug.Module{Version: "v0.1.0", Sum: sum}, nil, archive, Info{Version: "0.1.0", Module: sum}},
		{
			"module of a commit",
			debug.Module{Version: "v0.1.1-0.20261130173935-2381b49383d2", Sum: sum},
			nil, archive,
			Info{Version: "0.1.1-0.20261130173935-2381b49383d2", Commit: hash[:12], Date: date, Module: sum},
		},
		// nothing
		{"tests", debug.Module{Version: "(devel)"}, nil, archive, Info{Version: Development}},
		{"no notes", debug.Module{}, nil, archive, Info{Version: Development}},
	} {
		noted := &debug.BuildInfo{GoVersion: "go1.26", Main: test.module, Settings: append(
			[]debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}}, test.settings...)}
		test.want.Go, test.want.Platform = "go1.26", "linux/arm64"
		if diff := cmp.Diff(test.want, of(noted, test.archive)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", test.name, diff)
		}
	}
}

// git's own "git archive" writes what parseArchive reads.
func TestGitArchiveTellsVersionCommitAndDate(t *testing.T) {
	repo := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		c := exec.Command("git", append([]string{"-C", repo}, args...)...)
		c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org",
			"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org", "GIT_COMMITTER_DATE=2026-11-30T18:39:35+01:00")
		out, err := c.Output()
		if err != nil {
			t.Fatalf("git %v: %v (package git)", args, err)
		}
		return string(out)
	}
	git("init", "-q")
	for name, from := range map[string]string{
		".gitattributes": "../../.gitattributes", "internal/build/archive.txt": "archive.txt",
	} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if name != ".gitattributes" && parseArchive(string(text)) != nil {
			t.Skip("this source came from an archive: the file is already written")
		}
		file := filepath.Join(repo, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("add", ".")
	git("commit", "-q", "-m", "first")
	git("tag", "v0.1.0")
	archived := func() Info {
		tar := filepath.Join(t.TempDir(), "a.tar")
		git("archive", "-o", tar, "HEAD")
		text, err := exec.Command("tar", "-xOf", tar, "internal/build/archive.txt").Output()
		if err != nil {
			t.Fatal(err)
		}
		return of(&debug.BuildInfo{}, string(text))
	}
	head := func() string { return git("rev-parse", "HEAD")[:40] }
	want := Info{Version: "0.1.0", Commit: head(), Date: date, Platform: "/"}
	if diff := cmp.Diff(want, archived()); diff != "" {
		t.Errorf("tag: want -, got +\n%s", diff)
	}
	git("commit", "-q", "-m", "second", "--allow-empty")
	want.Commit = head()
	want.Version = "0.1.1-0.20261130173935-" + want.Commit[:12]
	if diff := cmp.Diff(want, archived()); diff != "" {
		t.Errorf("after the tag: want -, got +\n%s", diff)
	}
}
