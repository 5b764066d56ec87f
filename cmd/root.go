package cmd

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/queuedtracking/queuedtracking/internal/build"
)

const rootHelp = `queuedtracking takes the tracking requests that Matomo's plugin QueuedTracking has queued and writes them into Matomo's
log tables: the same rows as Matomo's own "console queuedtracking:process", much faster, nothing lost and nothing twice.
It can run beside PHP workers: both respect each other's locks.

See what it does, with nothing else on this machine:

    queuedtracking demo

Beside a Matomo:

    cd /var/www/matomo
    queuedtracking test           is everything there that is needed?
    queuedtracking verify         does it write what Matomo's own PHP writes?
    queuedtracking monitor        what is in the queues?
    queuedtracking process        track what is in the queues

Each command also has the name that it has in Matomo's console, queuedtracking:process for process, so that "./console
queuedtracking:process" in a crontab becomes "/usr/local/bin/queuedtracking queuedtracking:process". The whole path is
needed there: cron looks in /usr/bin and /bin alone. A package puts the program into /usr/bin.

"queuedtracking help settings" tells where the settings come from and how to change them.

Tables fit the terminal that they are shown on; in a pipe they are plain columns, as wide as they need to be. With
TERM=dumb or NO_COLOR in the environment a terminal gets plain text without control sequences, and no progress bar.
COLUMNS counts for a terminal that does not know its own width.

Exit status: 0 done, 1 failed, 2 the command line is wrong, 75 start it anew (process --cycle 0).`

// commonFlags are the flags that all commands have.
type commonFlags struct {
	matomo          string
	domain          string
	withoutDatabase bool
	verbose         int
	quiet           bool
	noInteraction   bool
	ansi, noANSI    bool
	json            bool // stdout is for a JSON object per line, and nothing else
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
	root.SetUsageFunc(p.printUsage)
	root.SetHelpFunc(p.printHelp)
	root.SetFlagErrorFunc(wrongFlag)
	root.Args, root.RunE = knownCommand, showHelp
	root.Version = versionText(build.Current())
	root.SetVersionTemplate("{{.Version}}")
	root.CompletionOptions.HiddenDefaultCmd = false
	p.addCommonFlags(root.PersistentFlags())
	root.AddCommand(
		newProcessCommand(p), newMonitorCommand(p), newLockStatusCommand(p), newUnlockCommand(p), newUninstallCommand(p),
		newTestCommand(p), newVerifyCommand(p), newPrintCommand(p), newFailedCommand(p), newServeCommand(p),
		newDemoCommand(p),
		newVersionCommand(p),
		newSettingsTopic(p),
	)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, command := range root.Commands() {
		switch {
		case command.HasSubCommands():
			command.Args, command.RunE = knownCommand, showHelp
		case command.Name() == "help":
			command.Args = knownTopic
		}
		if command.Name() != "settings" {
			command.Aliases = append(command.Aliases, consolePrefix+command.Name())
		}
	}
	p.complete(root)
	return root
}

// consolePrefix is what the commands' names begin with in Matomo's console.
const consolePrefix = "queuedtracking:"

func showHelp(command *cobra.Command, _ []string) error { return command.Help() }

func (p *program) addCommonFlags(flags *pflag.FlagSet) {
	flags.StringVar(&p.flags.matomo, "matomo", "",
		"Matomo's `directory`; default: the working directory if config/config.ini.php is in it, else $MATOMO_DIR")
	flags.StringVar(&p.flags.domain, "matomo-domain", "",
		"`host` or URL, where installations share a directory: config/HOST.config.ini.php counts; default: $MATOMO_DOMAIN")
	flags.CountVarP(&p.flags.verbose, "verbose", "v",
		"say more: -v what was refused and why, -vv every batch, -vvv every request")
	flags.BoolVarP(&p.flags.quiet, "quiet", "q", false, "say nothing but errors")
	flags.BoolVarP(&p.flags.noInteraction, "no-interaction", "n", false, "ask nothing, as if there were no terminal")
	flags.BoolVar(&p.flags.noANSI, "no-ansi", false, "write plain text without control sequences, as with NO_COLOR")
	flags.BoolVar(&p.flags.ansi, "ansi", false, "use the terminal whatever TERM and NO_COLOR say")
	for _, name := range []string{"no-interaction", "no-ansi", "ansi"} {
		_ = flags.MarkHidden(name)
	}
	format := p.logs.logFormat()
	flags.String(format.flag, "text",
		"`form` of diagnostics on stderr: text or json, one object per line; also $"+format.variable())
	addOverrides(flags, newOverrides().all())
}

// begin runs before each command.
func (p *program) begin(command *cobra.Command, _ []string) error {
	if err := newOverrides().apply(p, command.Flags(), []override{p.logs.logFormat()}); err != nil {
		return err
	}
	p.ran = true
	p.logs.setVerbosity(p.flags.quiet, p.flags.verbose)
	return nil
}
