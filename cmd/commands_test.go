package cmd

import "github.com/spf13/cobra"

// everyCommand visits a command and those below it.
func everyCommand(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		everyCommand(sub, visit)
	}
}
