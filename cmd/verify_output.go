package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/internal/verify"
)

// print tells what a run has found.
func (c *verifyCommand) print(r *verify.Report) error {
	cleanReport(r)
	if c.json {
		return printJSON(c.stdout, r)
	}
	if !r.Compared() && r.Left == 0 {
		return nil
	}
	w := c.out()
	for i := range r.Findings {
		c.printFinding(w, i+1, &r.Findings[i])
	}
	if more := r.Different + sum(r.Deliberate) - len(r.Findings); more > 0 {
		fmt.Fprintf(w, "%s; --show tells more of them.\n\n", terminal.Count(more, "further difference"))
	}
	if err := c.printTables(w, r); err != nil {
		return err
	}
	for _, note := range r.Notes {
		fmt.Fprintln(w, "Note: "+note)
	}
	v := r.Versions
	fmt.Fprintf(w, "queuedtracking %s, Matomo %s, plugin QueuedTracking %s, PHP %s, database %s\n", clean(v.Program),
		clean(v.Matomo), clean(v.Plugin), clean(v.PHP), clean(v.Database))
	fmt.Fprintln(w, c.summary(r))
	return nil
}

// cleanReport escapes what would control a terminal, and leaves no list out.
func cleanReport(r *verify.Report) {
	if r.Findings == nil {
		r.Findings = []verify.Finding{}
	}
	if r.Notes == nil {
		r.Notes = []string{}
	}
	for i := range r.Notes {
		r.Notes[i] = clean(r.Notes[i])
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Request, f.Server = json.RawMessage(readable(string(f.Request))), json.RawMessage(readable(string(f.Server)))
		for n := range f.Cells {
			cell := &f.Cells[n]
			cell.Table, cell.Column = clean(cell.Table), clean(cell.Column)
			cell.Matomo, cell.Own = clean(cell.Matomo), clean(cell.Own)
		}
	}
}

// summary is what a run has found in a line or two.
func (c *verifyCommand) summary(r *verify.Report) string {
	parts := []string{terminal.Count(r.Requests, "request"), terminal.Number(r.Equal) + " equal"}
	if r.Different > 0 {
		parts = append(parts, terminal.Number(r.Different)+" different")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Deliberate)) {
		parts = append(parts, fmt.Sprintf("%s different on purpose: %s", terminal.Number(r.Deliberate[name]), name))
	}
	text := strings.Join(parts, ", ")
	var more []string
	if r.Refused > 0 {
		more = append(more, terminal.Number(r.Refused)+" refused by both")
	}
	if r.Moved > 0 {
		more = append(more, terminal.Count(r.Moved, "difference")+" not seen again")
	}
	if r.Waits > 0 {
		more = append(more, terminal.Count(r.Waits, "wait")+" for locks")
	}
	took := time.Duration(r.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
	more = append(more, took.String())
	text += " (" + strings.Join(more, ", ") + ")."
	if why := endings[r.Ended]; why != "" {
		text += " " + why
	}
	if r.Left > 0 {
		var why []string
		for _, reason := range slices.Sorted(maps.Keys(r.LeftWhy)) {
			why = append(why, terminal.Number(r.LeftWhy[reason])+": "+clean(reason))
		}
		text += fmt.Sprintf(" %s not compared: %s", terminal.Count(r.Left, "request"), strings.Join(why, "; "))
	}
	return text
}

// endings say why a run has ended where that is not plain.
var endings = map[string]string{
	verify.EndedTime: "The time was over (--time-limit).", verify.EndedSignal: "It was interrupted.",
	verify.EndedFailure: "It ended with the first difference (--fail-fast).",
}

// printTables lists what was compared.
func (c *verifyCommand) printTables(w io.Writer, r *verify.Report) error {
	if len(r.Tables) == 0 || w == io.Discard {
		return nil
	}
	var lines [][]string
	for _, name := range slices.Sorted(maps.Keys(r.Tables)) {
		t := r.Tables[name]
		lines = append(lines, []string{clean(name), strconv.Itoa(t.Columns), terminal.Number(t.Rows)})
	}
	return c.table(c.stdout, []string{"Equal in", "#Columns", "#Rows"}, lines)
}

// printFinding tells of one request that differs.
func (c *verifyCommand) printFinding(w io.Writer, number int, f *verify.Finding) {
	kind := ""
	if f.Name != "" {
		kind = ", on purpose: " + f.Name
	}
	fmt.Fprintf(w, "Difference %d: queue %d, entry %d, request %d%s\n", number, f.Queue, f.Position, f.Number, kind)
	for _, cell := range f.Cells {
		where := cell.Table
		switch {
		case cell.Table == "":
			where = "what became of it"
		case cell.Unknown:
			where = "PHP also writes into table " + cell.Table
		}
		if cell.Column != "" {
			where += ": column " + cell.Column + ", row " + strconv.Itoa(cell.Row)
		} else if cell.Table != "" {
			where += ": rows"
		}
		fmt.Fprintln(w, "  "+where)
		fmt.Fprintln(w, c.entry("    Matomo          ", cell.Matomo, "      "))
		fmt.Fprintln(w, c.entry("    queuedtracking  ", cell.Own, "      "))
	}
	fmt.Fprintln(w, c.entry("  request  ", string(f.Request), "    "))
	if len(f.Server) > 0 {
		fmt.Fprintln(w, c.entry("  server   ", string(f.Server), "    "))
	}
	fmt.Fprintln(w)
}
