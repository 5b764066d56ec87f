package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// device is what a stream of the program leads to.
func (p *program) device(stream any) terminal.Device {
	d := terminal.Look(stream, p.lookupEnv)
	switch {
	case p.flags.ansi:
		return d.Plainly(false)
	case p.flags.noANSI:
		return d.Plainly(true)
	}
	return d
}

// table prints rows below a header. Columns whose header begins with "#" hold numbers and are aligned to the right. On a terminal
// it is a table with lines; what is too wide for it is wrapped in the last column, or turned into blocks, one per row.
// Elsewhere there are plain columns, two spaces or more between them, of any width.
func (p *program) table(w io.Writer, header []string, rows [][]string) error {
	d := p.device(p.stdout)
	columns := d.Width()
	text, wide, err := grid(header, rows, d.IsPlain())
	if err != nil {
		return err
	}
	if columns > 0 && wide > columns {
		text, wide, err = grid(header, foldLast(rows, wide, columns), d.IsPlain())
	}
	if columns > 0 && wide > columns {
		text = blocks(header, rows, columns)
	}
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	return err
}

// grid lays out rows as a table, and tells how wide it is.
func grid(header []string, rows [][]string, plain bool) (text string, wide int, err error) {
	names := make([]string, len(header))
	aligned := make([]tw.Align, len(header))
	for i, name := range header {
		names[i], aligned[i] = name, tw.AlignLeft
		if name[0] == '#' {
			names[i], aligned[i] = name[1:], tw.AlignRight
		}
	}
	var b strings.Builder
	options := []tablewriter.Option{
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: aligned}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: aligned}),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithTrimSpace(tw.Off),
	}
	if plain {
		options = append(options, withoutLines...)
	}
	t := tablewriter.NewTable(&b, options...)
	t.Header(names)
	if err := t.Bulk(rows); err != nil {
		return "", 0, err
	}
	if err := t.Render(); err != nil {
		return "", 0, err
	}
	for line := range strings.Lines(b.String()) {
		line = strings.TrimRight(line, " \n")
		text += line + "\n"
		wide = max(wide, terminal.Width(line))
	}
	return text, wide, nil
}

var withoutLines = []tablewriter.Option{
	tablewriter.WithRendition(tw.Rendition{
		Borders: tw.BorderNone, Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
	}),
	tablewriter.WithPadding(tw.Padding{Right: "  ", Overwrite: true}),
}

// leastLastColumn is the narrowest that the last column is made before rows turn into blocks.
const leastLastColumn = 30

// foldLast wraps the last column so that the table, which is wide, gets as wide as columns, if that is possible.
func foldLast(rows [][]string, wide, columns int) [][]string {
	longest := 0
	for _, row := range rows {
		for line := range strings.SplitSeq(row[len(row)-1], "\n") {
			longest = max(longest, terminal.Width(line))
		}
	}
	room := columns - (wide - longest)
	if room < leastLastColumn {
		return rows
	}
	folded := make([][]string, len(rows))
	for i, row := range rows {
		last := len(row) - 1
		folded[i] = append(append([]string(nil), row[:last]...), terminal.Fold(row[last], room))
	}
	return folded
}

// blocks lays out each row as lines "name: value"; values that are empty are left out.
func blocks(header []string, rows [][]string, columns int) string {
	longest := 0
	for _, name := range header {
		longest = max(longest, utf8.RuneCountInString(strings.TrimPrefix(name, "#")))
	}
	indent := strings.Repeat(" ", longest+2)
	var b strings.Builder
	for i, row := range rows {
		if i > 0 {
			b.WriteByte('\n')
		}
		for n, value := range row {
			if value == "" {
				continue
			}
			value = terminal.Fold(value, max(columns-len(indent), 1))
			name := strings.TrimPrefix(header[n], "#") + ":"
			fmt.Fprintf(&b, "%-*s%s\n", len(indent), name, strings.ReplaceAll(value, "\n", "\n"+indent))
		}
	}
	return b.String()
}

// printJSON prints a value as one line of JSON.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
