package cmd

import (
	"io"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
)

// table prints rows below a header. Columns whose header begins with "#" hold numbers and are aligned to the right.
func table(w io.Writer, header []string, rows [][]string) error {
	names := make([]string, len(header))
	aligned := make([]tw.Align, len(header))
	for i, name := range header {
		names[i], aligned[i] = name, tw.AlignLeft
		if name[0] == '#' {
			names[i], aligned[i] = name[1:], tw.AlignRight
		}
	}
	t := tablewriter.NewTable(w,
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: aligned}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: aligned}),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
	)
	t.Header(names)
	if err := t.Bulk(rows); err != nil {
		return err
	}
	return t.Render()
}
