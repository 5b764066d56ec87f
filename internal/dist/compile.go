package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/queuedtracking/queuedtracking/internal/build"
)

// compile builds the binaries into the stage and finds out which version they are. What the environment says of flags
// or processors does not count: others would get other bytes.
func (r *release) compile(ctx context.Context) error {
	for _, arch := range r.arches {
		fmt.Fprintln(r.log, "dist: go build", arch)
		file := filepath.Join(r.stage, binary(arch))
		c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=auto", "-ldflags=-s -w", "-o", file, ".")
		c.Dir, c.Stderr = r.source, r.log
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0",
			"GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off")
		if err := c.Run(); err != nil {
			return fmt.Errorf("go build for %s: %w", arch, err)
		}
		noted, err := buildinfo.ReadFile(file)
		if err != nil {
			return err
		}
		if err := r.setBuild(build.Of(noted)); err != nil {
			return err
		}
		bom, err := r.bom(noted)
		if err != nil {
			return err
		}
		if err := r.write("sbom_"+arch+".cdx.json", bom); err != nil {
			return err
		}
	}
	return nil
}
