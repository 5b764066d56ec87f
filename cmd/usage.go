package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// wrongFlag words the error of a flag.
func wrongFlag(c *cobra.Command, err error) error {
	if c.HasSubCommands() { // of a command that does not exist no flag can be known
		if err := knownCommand(c, c.Flags().Args()); err != nil {
			return err
		}
	}
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok && missing.GetSpecifiedShortnames() == "" {
		return usage("unknown flag --%s%s", missing.GetSpecifiedName(),
			didYouMean("--", similarFlags(c, missing.GetSpecifiedName())))
	}
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
		err = knownCommand(found, rest)
	}
	return err
}

// knownCommand wants no argument where only the name of a command can stand: cobra calls it when it knows no such
// command.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	of := ""
	if c.HasParent() {
		of = fmt.Sprintf(" for %q", c.CommandPath())
	}
	return usage("unknown command %q%s%s", args[0], of, didYouMean("", similarCommands(c, args[0])))
}

// similarity is how many letters may be wrong, missing or too many in a name that is taken for another one.
const similarity = 2

// similarCommands are the commands below c whose names are similar to name.
func similarCommands(c *cobra.Command, name string) []string {
	c.SuggestionsMinimumDistance = similarity
	return c.SuggestionsFor(strings.TrimPrefix(name, consolePrefix))
}

// similarFlags are c's flags whose names are similar to name. cobra looks for similar commands only: each flag
// becomes one.
func similarFlags(c *cobra.Command, name string) []string {
	flags := &cobra.Command{}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			flags.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		}
	})
	return similarCommands(flags, name)
}

// mostNames is how many names are proposed at most.
const mostNames = 5

// didYouMean is ": did you mean a, b or c?", or nothing when there are no names.
func didYouMean(prefix string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	names = names[:min(len(names), mostNames)]
	for i := range names {
		names[i] = prefix + names[i]
	}
	last := len(names) - 1
	if last > 0 {
		names = []string{strings.Join(names[:last], ", "), names[last]}
	}
	return ": did you mean " + strings.Join(names, " or ") + "?"
}
