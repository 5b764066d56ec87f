package cmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// printUsage is the part of a help text that lists commands and flags.
func printUsage(c *cobra.Command) error {
	w := c.OutOrStderr()
	switch {
	case c.Runnable():
		fmt.Fprintf(w, "Usage:\n  %s\n", c.UseLine())
	case c.HasAvailableSubCommands():
		fmt.Fprintf(w, "Usage:\n  %s COMMAND [flags]\n", c.CommandPath())
	default:
		return nil
	}
	if c.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	if c.HasAvailableSubCommands() {
		printCommands(w, c)
	}
	printFlags(w, "Flags", c.LocalNonPersistentFlags())
	if c.Name() != "version" && c.Name() != "demo" {
		printFlags(w, "Common flags", visibleCommon(c))
		fmt.Fprintln(w, "\nFlags for Redis and the database, and their environment variables: queuedtracking help settings")
	}
	return nil
}

func printCommands(w io.Writer, c *cobra.Command) {
	fmt.Fprintln(w, "\nCommands:")
	var topics []*cobra.Command
	for _, sub := range c.Commands() {
		switch {
		case sub.IsAdditionalHelpTopicCommand():
			topics = append(topics, sub)
		case sub.IsAvailableCommand():
			fmt.Fprintf(w, "  %-22s %s\n", sub.Name(), sub.Short)
		}
	}
	for _, topic := range topics {
		fmt.Fprintf(w, "\nFurther help:\n  %-22s %s\n", "help "+topic.Name(), topic.Short)
	}
}

func printFlags(w io.Writer, title string, flags *pflag.FlagSet) {
	if text := flags.FlagUsagesWrapped(110); text != "" {
		fmt.Fprintf(w, "\n%s:\n%s\n", title, strings.TrimRight(text, "\n"))
	}
}

// visibleCommon are the common flags without those that "help settings" lists.
func visibleCommon(c *cobra.Command) *pflag.FlagSet {
	shown := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Annotations[overrideAnnotation] == nil {
			shown.AddFlag(f)
		}
	})
	return shown
}
