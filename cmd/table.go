package cmd

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// table prints rows below a header. Columns whose header begins with "#" hold numbers and are aligned to the right.
// On a terminal it is a table with lines; what is too wide for it loses its lines, gets its widest column wrapped as
// well, or turns into blocks, one per row, whatever fits first. Elsewhere there are plain columns, two spaces or more
// between them, of any width, or blocks where cells have several lines.
func (p *program) table(w io.Writer, header []string, rows [][]string) error {
	d := p.device(p.stdout)
	text, err := layOut(header, rows, d.IsPlain(), d.Width())
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	return err
}

// hasSeveralLines reports whether a cell has several lines: in a pipe, line by line, nobody could tell whose they
// are.
func hasSeveralLines(row []string) bool {
	return slices.ContainsFunc(row, func(cell string) bool { return strings.Contains(cell, "\n") })
}

func layOut(header []string, rows [][]string, plain bool, columns int) (string, error) {
	if columns == 0 && slices.ContainsFunc(rows, hasSeveralLines) {
		return blocks(header, rows, 0), nil
	}
	text, wide, err := grid(header, rows, plain)
	if err == nil && columns > 0 && wide > columns && !plain {
		text, wide, err = grid(header, rows, true)
	}
	if err == nil && columns > 0 && wide > columns {
		text, wide, err = grid(header, foldWidest(header, rows, wide-columns), true)
	}
	if err == nil && columns > 0 && wide > columns {
		text = blocks(header, rows, columns)
	}
	return text, err
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

// leastColumn is the narrowest that a column is made before rows turn into blocks, unless it loses little by that.
const leastColumn = 20

// foldWidest wraps the widest column of text so that the table gets narrower by less columns, if that is possible.
func foldWidest(header []string, rows [][]string, less int) [][]string {
	widest, width := 0, 0
	for _, row := range rows {
		for n, text := range row {
			for line := range strings.SplitSeq(text, "\n") {
				if w := terminal.Width(line); w > width && header[n][0] != '#' {
					widest, width = n, w
				}
			}
		}
	}
	if width-less < min(leastColumn, width*3/4) {
		return rows
	}
	folded := make([][]string, len(rows))
	for i, row := range rows {
		folded[i] = slices.Clone(row)
		folded[i][widest] = terminal.Fold(row[widest], width-less)
	}
	return folded
}

// blocks lays out each row as lines "name: value"; values that are empty are left out. columns: 0 for any number.
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
			if columns > 0 {
				value = terminal.Fold(value, max(columns-len(indent), 1))
			}
			name := strings.TrimPrefix(header[n], "#") + ":"
			fmt.Fprintf(&b, "%-*s%s\n", len(indent), name, strings.ReplaceAll(value, "\n", "\n"+indent))
		}
	}
	return b.String()
}
