package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// Version is the version that a release was built as; the linker sets it.
var Version string

// newVersionCommand: queuedtracking version.
func newVersionCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(p.stdout, versionText())
			return err
		},
	}
}

// versionName is the version of this program.
func versionName() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return version(info)
}

func versionText() string {
	return fmt.Sprintf("queuedtracking %s\n%s %s/%s\nwrites the rows of Matomo %s\n",
		versionName(), runtime.Version(), runtime.GOOS, runtime.GOARCH, matomo.KnownVersions)
}

// version is that of the release, of the module, or the commit that was built.
func version(info *debug.BuildInfo) string {
	if Version != "" {
		return Version
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "development " + s.Value
		}
	}
	return "development"
}
