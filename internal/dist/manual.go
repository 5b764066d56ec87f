package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/queuedtracking/queuedtracking/cmd"
)

// manual writes a compressed manual page for each command into folder man of the stage.
func (r *release) manual() error {
	return r.pages(cmd.Manual())
}

func (r *release) pages(command *cobra.Command) error {
	if command.Name() == "help" {
		return nil // the pages are that
	}
	name := strings.ReplaceAll(command.CommandPath(), " ", "-")
	page, err := r.page(command)
	if err != nil {
		return err
	}
	if err := r.writeCompressed("man/"+name+".1.gz", page); err != nil {
		return err
	}
	for _, sub := range command.Commands() {
		if err := r.pages(sub); err != nil {
			return err
		}
	}
	return nil
}

// page is the manual page of a command.
func (r *release) page(command *cobra.Command) ([]byte, error) {
	command.Long = markdown(command.Long)
	command.Example = strings.Trim(command.Example, "\n")
	command.DisableAutoGenTag = true // no "auto generated" and no date of today
	var b bytes.Buffer
	err := doc.GenMan(command, &doc.GenManHeader{
		Section: "1", Date: &r.time, Source: "queuedtracking " + r.build.Version, Manual: "queuedtracking",
	}, &b)
	text := noValue.ReplaceAll(b.Bytes(), nil)
	return quotedValue.ReplaceAll(text, []byte("=$1")), err
}

// What cobra writes behind the names of flags that want no value, and quotes around the name of the value.
var (
	noValue     = regexp.MustCompile(`(?m)\[?=(""|false)?\]?$`)
	quotedValue = regexp.MustCompile(`(?m)="(.+)"$`)
)

// special are the characters that mean something in Markdown.
var special = regexp.MustCompile("[\\\\`*_\\[\\]<>&#|~]")

// markdown makes Markdown of a help text: indented lines stay as they are, the rest is text without any markup.
func markdown(help string) string {
	var b strings.Builder
	fenced := false
	fence := func(wanted bool) {
		if wanted != fenced {
			b.WriteString("\n```\n")
			fenced = wanted
		}
	}
	lines := strings.Split(strings.TrimSpace(help), "\n")
	for n, line := range lines {
		literal := indented(line)
		if line == "" && fenced { // a gap between indented lines is part of them
			literal = n+1 < len(lines) && indented(lines[n+1])
		}
		fence(literal)
		if !literal {
			line = special.ReplaceAllString(strings.TrimLeft(line, "# "), `\$0`) // cobra's own texts have headings
		}
		b.WriteString(line + "\n")
	}
	fence(false)
	return b.String()
}

func indented(line string) bool { return strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") }

// completions writes the scripts for bash, zsh and fish into folder completions of the stage.
func (r *release) completions() error {
	root := cmd.Manual()
	for name, generate := range map[string]func(io.Writer) error{
		"queuedtracking":      func(w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"_queuedtracking":     root.GenZshCompletion,
		"queuedtracking.fish": func(w io.Writer) error { return root.GenFishCompletion(w, true) },
	} {
		var script bytes.Buffer
		if err := generate(&script); err != nil {
			return fmt.Errorf("completion %s: %w", name, err)
		}
		if err := r.write("completions/"+name, script.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
