package cmd

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/build"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

const versionHelp = `Prints the version of this program, the commit that it was built from and its date, and which versions of Matomo it
knows. A program that "go install" has made of a released version knows the checksum of its module instead of the
commit.`

// newVersionCommand: queuedtracking version.
func newVersionCommand(p *program) *cobra.Command {
	asJSON := false
	command := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Long:  versionHelp,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return printJSON(p.stdout, versionReportOf(build.Current()))
			}
			_, err := fmt.Fprint(p.stdout, versionText(build.Current()))
			return err
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return command
}

// versionName is the version of this program.
func versionName() string { return build.Current().Version }

// versionJSON is what version --json prints.
type versionJSON struct {
	build.Info
	Matomo string `json:"matomo"`
}

func versionReportOf(info build.Info) versionJSON { return versionJSON{info, matomo.KnownVersions} }

func versionText(info build.Info) string {
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-9s%s\n", name, text)
		}
	}
	fmt.Fprintf(&b, "queuedtracking %s\n", info.Version)
	line("commit", info.Commit)
	if !info.Date.IsZero() {
		line("date", info.Date.Format(time.RFC3339))
	}
	if info.Modified {
		line("changed", "not all changes are in that commit")
	}
	line("module", info.Module)
	line("built", info.Go+" "+info.Platform)
	fmt.Fprintf(&b, "writes the rows of Matomo %s\n", matomo.KnownVersions)
	return b.String()
}
