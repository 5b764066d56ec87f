package cmd

import (
	"errors"
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
	case c.HasAvailableSubCommands():
		fmt.Fprintf(w, "Usage:\n  %s COMMAND [flags]\n", c.CommandPath())
	case c.Runnable():
		fmt.Fprintf(w, "Usage:\n  %s\n", c.UseLine())
	default:
		return nil
	}
	if c.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	if c.HasAvailableSubCommands() {
		printCommands(w, c)
	}
	flags := c.LocalNonPersistentFlags()
	flags.SortFlags = c.Flags().SortFlags
	printFlags(w, "Flags", flags)
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

// wrongFlag words the error of a flag.
func wrongFlag(_ *cobra.Command, err error) error {
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	flag := invalid.GetFlag()
	wrong := invalid.Unwrap().Error()
	switch flag.Value.Type() {
	case "int", "int64", "uint64", "count":
		wrong = "not a whole number, or out of range"
	case "float64":
		wrong = "not a number"
	case "bool":
		wrong = "neither true nor false"
	case "duration":
		wrong = "not a time such as 500ms, 10s or 2m"
	}
	return usage("--%s %q: %s", flag.Name, invalid.GetValue(), wrong)
}

// knownTopic wants the name of a command for help.
func knownTopic(c *cobra.Command, args []string) error {
	found, rest, err := c.Root().Find(args)
	if err == nil && len(rest) > 0 {
		err = cobra.NoArgs(found, rest)
	}
	return err
}
