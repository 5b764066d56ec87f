// Command dist builds a release: make dist, or go run ./internal/dist.
//
// Into the folder dist go, for each architecture, the static binary, a .deb, an .rpm and an SBOM; an archive with what
// is the same for all (units, manual pages, completions, alert rules, dashboard, the libraries' licences); and
// SHA256SUMS. Everything depends on the commit and on Go's version alone: whoever builds the same commit with the same
// Go gets the same bytes. The time in all files is the commit's, or SOURCE_DATE_EPOCH.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/build"
)

func main() {
	r := release{log: os.Stderr}
	arches := flag.String("arch", "amd64,arm64", "`architectures`")
	flag.StringVar(&r.source, "source", ".", "`folder` of the source")
	flag.StringVar(&r.out, "o", "dist", "`folder` for what is built")
	flag.Parse()
	r.arches = strings.Split(*arches, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := r.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// release is one run.
type release struct {
	source, out string
	arches      []string
	log         *os.File

	build build.Info
	time  time.Time // of all files
	stage string    // where files for the packages are collected
}

func (r *release) run(ctx context.Context) (err error) {
	if r.stage, err = os.MkdirTemp("", "queuedtracking-dist-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.stage)) }()
	if r.out, err = filepath.Abs(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	return r.all(ctx)
}

// all takes all steps from the source to the checksums.
func (r *release) all(ctx context.Context) error {
	pack := func(ctx context.Context) error { return r.pack(ctx, packageVersion(r.build.Version), "deb", "rpm") }
	for _, step := range []func(context.Context) error{r.compile, r.collect, r.publish, pack, r.sum} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// binary is the file name of the program for an architecture, in the stage.
func binary(arch string) string { return "queuedtracking_linux_" + arch }

// named is the name of a file of this release.
func (r *release) named(rest string) string {
	return filepath.Join(r.out, "queuedtracking_"+r.build.Version+"_"+rest)
}

// setBuild takes version and time from the binary that was built.
func (r *release) setBuild(info build.Info) error {
	if info.Commit == "" {
		return errors.New("neither git nor the archive tells which commit this is: build from a clone (no worktree), " +
			"or from what \"git archive\" makes")
	}
	if info.Modified {
		fmt.Fprintln(r.log, "dist: there are changes that are not committed: nobody else can build the same")
	}
	r.build, r.time = info, info.Date
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		r.time = time.Unix(seconds, 0).UTC()
	}
	return nil
}
