package cmd

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// helpWidth is the longest line of a help text: longer ones are hard to read.
const helpWidth = 80

// helpColumns is how long lines of a help text are on stdout.
func (p *program) helpColumns() int {
	if columns := p.device(p.stdout).Width(); columns > 0 {
		return min(columns, helpWidth)
	}
	return helpWidth
}

// printHelp is the whole help text of a command.
func (p *program) printHelp(c *cobra.Command, _ []string) {
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	w := c.OutOrStdout()
	fmt.Fprintln(w, terminal.Reflow(strings.TrimSpace(text), p.helpColumns()))
	if c.Runnable() || c.HasSubCommands() {
		fmt.Fprintln(w)
		_ = p.printUsage(c) // what cannot be written is told at the end
	}
}

// printUsage is the part of a help text that lists commands and flags.
func (p *program) printUsage(c *cobra.Command) error {
	w, columns := c.OutOrStdout(), p.helpColumns()
	switch {
	case c.HasAvailableSubCommands():
		fmt.Fprintf(w, "Usage:\n  %s COMMAND [flags]\n", c.CommandPath())
	case c.Runnable():
		fmt.Fprintf(w, "Usage:\n  %s\n", c.UseLine())
	default:
		return nil
	}
	if c.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", terminal.Reflow(c.Example, columns))
	}
	if c.HasAvailableSubCommands() {
		printCommands(w, c, columns)
	}
	flags := c.LocalNonPersistentFlags()
	flags.SortFlags = c.Flags().SortFlags
	printFlags(w, "Flags", flags, columns)
	if c.Name() != "version" && c.Name() != "demo" {
		printFlags(w, "Common flags", visibleCommon(c), columns)
		fmt.Fprintln(w, "\n"+terminal.Wrap(elsewhere, columns, ""))
	}
	return nil
}

const elsewhere = "Flags for Redis and the database, and their environment variables: queuedtracking help settings"

// nameColumn is as wide as names of commands and flags may be without pushing their explanations to the next line.
const nameColumn = 26

func printCommands(w io.Writer, c *cobra.Command, columns int) {
	fmt.Fprintln(w, "\nCommands:")
	entry := func(name, text string) {
		fmt.Fprintln(w, terminal.Entry(fmt.Sprintf("  %-*s ", nameColumn-3, name), text, columns))
	}
	var topics []*cobra.Command
	for _, sub := range c.Commands() {
		switch {
		case sub.IsAdditionalHelpTopicCommand():
			topics = append(topics, sub)
		case sub.IsAvailableCommand():
			entry(sub.Name(), sub.Short)
		}
	}
	for _, topic := range topics {
		fmt.Fprintln(w, "\nFurther help:")
		entry("help "+topic.Name(), topic.Short)
	}
}

// printFlags lists flags, each with its explanation in a second column. Where a name is too long for the first column
// the explanation begins in the next line.
func printFlags(w io.Writer, title string, flags *pflag.FlagSet, columns int) {
	var lines []string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "      --" + f.Name
		if f.Shorthand != "" {
			name = "  -" + f.Shorthand + ", --" + f.Name
		}
		if value := valueName(f); value != "" {
			name += " " + value
		}
		lines = append(lines, flagEntry(name, explanation(f), columns))
	})
	if len(lines) > 0 {
		fmt.Fprintf(w, "\n%s:\n%s\n", title, strings.Join(lines, "\n"))
	}
}

func flagEntry(name, text string, columns int) string {
	if len(name)+2 <= nameColumn {
		return terminal.Entry(fmt.Sprintf("%-*s", nameColumn, name), text, columns)
	}
	indent := strings.Repeat(" ", nameColumn)
	return name + "\n" + indent + terminal.Wrap(text, columns, indent)
}

// explanation is what a flag does, and its default if that is not the obvious one.
func explanation(f *pflag.Flag) string {
	if slices.Contains([]string{"", "0", "false", "0s"}, f.DefValue) {
		return f.Usage
	}
	return f.Usage + " (default " + strings.ReplaceAll(f.DefValue, "m0s", "m") + ")"
}

// valueName says what value a flag wants, "" when it wants none.
func valueName(f *pflag.Flag) string {
	if f.NoOptDefVal != "" && (f.Value.Type() == "bool" || f.Value.Type() == "count") {
		return ""
	}
	if quoted := f.Annotations[valueAnnotation]; quoted != nil {
		return quoted[0]
	}
	name, _ := pflag.UnquoteUsage(f)
	if plain, ok := plainTypes[name]; ok {
		return plain
	}
	return name
}

// plainTypes are usual words for pflag's types of values.
var plainTypes = map[string]string{
	"string": "text", "int": "number", "uint": "number", "float": "number", "duration": "time",
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
