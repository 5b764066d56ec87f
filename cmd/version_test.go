package cmd

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/build"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

func TestVersionTellsWhatIsKnownOfTheBuild(t *testing.T) {
	for _, test := range []struct {
		info build.Info
		want string
	}{
		{build.Info{
			Version: "0.1.0", Commit: "2381b49383d2e1b7d99c308ad29cd96bd81b84fa", Modified: true,
			Date: time.Date(2026, 11, 30, 17, 39, 35, 0, time.UTC), Go: "go1.26.8", Platform: "linux/arm64",
		}, `queuedtracking 0.1.0
commit   2381b49383d2e1b7d99c308ad29cd96bd81b84fa
date     2026-11-30T17:39:35Z
changed  not all changes are in that commit
built    go1.26.8 linux/arm64
`},
		{build.Info{Version: "0.1.0", Module: "h1:wYKI=", Go: "go1.26.8", Platform: "linux/amd64"}, `queuedtracking 0.1.0
module   h1:wYKI=
built    go1.26.8 linux/amd64
`},
	} {
		want := test.want + "writes the rows of Matomo " + matomo.KnownVersions + "\n"
		if got := versionText(test.info); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
}

func TestVersionAsJSON(t *testing.T) {
	i := newInstallation(t)
	var got map[string]any
	if err := json.Unmarshal([]byte(i.ok(t, "version", "--json").stdout), &got); err != nil {
		t.Fatal(err)
	}
	current := build.Current()
	for name, want := range map[string]string{
		"version": current.Version, "go": current.Go, "platform": current.Platform, "matomo": matomo.KnownVersions,
	} {
		if got[name] != want {
			t.Errorf("%s: %v, want %s", name, got[name], want)
		}
	}
}
