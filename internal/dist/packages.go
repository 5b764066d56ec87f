package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// nfpm makes the packages. It is run, not linked: as a library it would bring 60 modules, one of them a whole git, into
// go.mod, for people who only want to build the program. The module's own go.sum says which they are. Newer releases
// need modules that not every proxy has, and do nothing more for .deb and .rpm.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0"

// pack makes packages of what is in the stage.
func (r *release) pack(ctx context.Context, version string, kinds ...string) error {
	for _, arch := range r.arches {
		for _, kind := range kinds {
			fmt.Fprintln(r.log, "dist: nfpm", kind, arch)
			c := exec.CommandContext(ctx, "go", "run", nfpm, "package", "-f", "nfpm.yaml", "-p", kind, "-t", r.out)
			c.Dir = r.stage
			c.Env = append(os.Environ(), "ARCH="+arch, "VERSION="+version, "WEB_USER="+webUsers[kind],
				"SOURCE_DATE_EPOCH="+strconv.FormatInt(r.time.Unix(), 10), "GOFLAGS=", "GOWORK=off")
			if out, err := c.CombinedOutput(); err != nil {
				return fmt.Errorf("nfpm: %s for %s: %w\n%s", kind, arch, err, out)
			}
		}
	}
	return nil
}

// packageVersion is a version as dpkg and rpm order it: 0.1.1-0.20261130… comes before 0.1.1, and there may be no
// other hyphen.
func packageVersion(version string) string {
	release, before, ok := strings.Cut(version, "-")
	if !ok {
		return version
	}
	return release + "~" + strings.ReplaceAll(before, "-", ".")
}
