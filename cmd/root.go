package cmd

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const rootHelp = `queuedtracking takes the tracking requests that Matomo's plugin QueuedTracking has queued and writes them into Matomo's
log tables: the same rows as Matomo's own "console queuedtracking:process", much faster, nothing lost and nothing twice.
It can run beside PHP workers: both respect each other's locks.

See what it does, with nothing else on this machine:

    queuedtracking demo

Beside a Matomo:

    cd /var/www/matomo
    queuedtracking test           is everything there that is needed?
    queuedtracking monitor        what is in the queues?
    queuedtracking process        track what is in the queues

Each command also has the name that it has in Matomo's console, queuedtracking:process for process, so that
"./console queuedtracking:process" in a crontab becomes "queuedtracking queuedtracking:process".

"queuedtracking help settings" tells where the settings come from and how to change them.
Exit status: 0 done, 1 failed, 2 the command line is wrong, 75 start it anew (process --cycle 0).`

// commonFlags are the flags that all commands have.
type commonFlags struct {
	matomo          string
	domain          string
	withoutDatabase bool
	verbose         int
	quiet           bool
}

// rootCommand makes the program's commands.
func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:               "queuedtracking",
		Short:             "Matomo's QueuedTracking worker, in Go",
		Long:              rootHelp,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: p.begin,
	}
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetUsageFunc(printUsage)
	root.SetFlagErrorFunc(wrongFlag)
	root.Version = versionText()
	root.SetVersionTemplate("{{.Version}}")
	root.CompletionOptions.HiddenDefaultCmd = false
	p.addCommonFlags(root.PersistentFlags())
	root.AddCommand(
		newProcessCommand(p), newMonitorCommand(p), newLockStatusCommand(p), newUnlockCommand(p),
		newTestCommand(p), newPrintCommand(p), newFailedCommand(p), newServeCommand(p), newDemoCommand(p), newVersionCommand(p),
		&cobra.Command{Use: "settings", Short: "Where settings come from, and their flags and variables", Long: settingsHelp()},
	)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, command := range root.Commands() {
		switch {
		case command.HasSubCommands():
			command.Args = cobra.NoArgs
			command.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
		case command.Name() == "help":
			command.Args = knownTopic
		}
		if command.Name() != "settings" {
			command.Aliases = append(command.Aliases, "queuedtracking:"+command.Name())
		}
	}
	return root
}

func (p *program) addCommonFlags(flags *pflag.FlagSet) {
	flags.StringVar(&p.flags.matomo, "matomo", "",
		"Matomo's `directory`; default: the working directory if config/config.ini.php is in it, else $MATOMO_DIR")
	flags.StringVar(&p.flags.domain, "matomo-domain", "",
		"`host` or URL, where installations share a directory: config/HOST.config.ini.php counts; default: $MATOMO_DOMAIN")
	flags.CountVarP(&p.flags.verbose, "verbose", "v", "say more: -v what was refused and why, -vv every batch, -vvv every request")
	flags.BoolVarP(&p.flags.quiet, "quiet", "q", false, "say nothing but errors")
	flags.BoolP("no-interaction", "n", false, "accepted for Symfony's sake: nothing ever asks")
	flags.Bool("no-ansi", false, "accepted for Symfony's sake")
	flags.Bool("ansi", false, "accepted for Symfony's sake")
	for _, name := range []string{"no-interaction", "no-ansi", "ansi"} {
		_ = flags.MarkHidden(name)
	}
	addOverrides(flags, newOverrides().all())
}

// begin runs before each command.
func (p *program) begin(*cobra.Command, []string) error {
	p.ran = true
	p.logs.setVerbosity(p.flags.quiet, p.flags.verbose)
	return nil
}
