package cmd

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Manual is the tree of commands for manual pages and completions to be made of. Flags have their whole explanation as
// usage, and the name of the value that they want as default. Flags of "help settings" are on no other page.
func Manual() *cobra.Command {
	p := newProgram(nil)
	p.logs = newLogger(os.Stderr)
	root := p.rootCommand()
	everyFlag := func(f *pflag.Flag) {
		f.Usage = explanation(f)
		f.DefValue = valueName(f)
		f.Hidden = f.Hidden || f.Annotations[overrideAnnotation] != nil
	}
	root.PersistentFlags().VisitAll(everyFlag)
	var prepare func(c *cobra.Command)
	prepare = func(c *cobra.Command) {
		c.LocalNonPersistentFlags().VisitAll(everyFlag)
		if c.Name() == "settings" {
			c.Long, c.DisableFlagsInUseLine = settingsHelp(helpWidth), true
		}
		for _, sub := range c.Commands() {
			prepare(sub)
		}
	}
	prepare(root)
	root.Long += "\n\nThe page queuedtracking-settings(1) has the text of \"queuedtracking help settings\"."
	return root
}
