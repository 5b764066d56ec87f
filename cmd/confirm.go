package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// errDeclined ends a command whose question was not answered with yes.
var errDeclined = errors.New("nothing was changed")

func yesFlag(flags *pflag.FlagSet, yes *bool) {
	flags.BoolVarP(yes, "yes", "y", false, "do not ask; needed with --all where there is no terminal to ask at")
}

// canAsk reports whether somebody is there who can be asked.
func (p *program) canAsk() bool {
	return !p.flags.noInteraction && p.device(p.stdin).IsTerminal() && p.device(p.stderr).IsTerminal()
}

// confirm asks before something that cannot be undone. The question is on stderr, beside output for a file; without
// an answer nothing is done.
func (p *program) confirm(ctx context.Context, question string) error {
	fmt.Fprint(p.stderr, strings.TrimSuffix(fit(question+" [y/N]", p.device(p.stderr).Width()), "\n")+" ")
	answered := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(p.stdin).ReadString('\n')
		answered <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case answer := <-answered:
		if answer == "y" || answer == "yes" {
			return nil
		}
		if answer == "" {
			fmt.Fprintln(p.stderr)
		}
	case <-p.stop:
		fmt.Fprintln(p.stderr)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return errDeclined
}

// consent makes sure that everything at once is meant: by --yes, or by a question where one can be asked. Whoever
// names things one by one without a terminal, in a script, has said what is meant.
func (p *program) consent(ctx context.Context, all, yes bool, question string) error {
	switch {
	case yes:
		return nil
	case p.canAsk():
		return p.confirm(ctx, question)
	case all:
		return usage("--all without a terminal to ask at wants --yes, too")
	}
	return nil
}
