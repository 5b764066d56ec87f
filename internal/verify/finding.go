package verify

import (
	"encoding/json"
	"strconv"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/redact"
)

// count counts requests that are equal, and what was compared of them.
func (r *run) count(c *comparison, requests int) {
	r.report.Equal += requests
	for i := range c.matomo.outcomes {
		if c.matomo.outcomes[i].refused && c.own.outcomes[i].refused {
			r.report.Refused++
		}
	}
	for name, list := range c.matomo.rows.Tables {
		if t := r.pair.schema.tables[name]; t != nil && len(list) > 0 {
			r.report.Tables[name] = Table{len(t.columns), r.report.Tables[name].Rows + len(list)}
		}
	}
}

// found counts a request that differs. The error ends the run.
func (r *run) found(p part, culprit int, c *comparison) error {
	at := p.places[culprit]
	entry := &p.entries[at.entry]
	f := Finding{
		Queue: entry.Queue, Position: entry.Position, Number: at.request, Request: masked(p.request(at)),
		Server: masked(entry.Set.Env.Server), Name: deliberateName(p, culprit, c),
	}
	for _, d := range c.differences {
		cell := Cell{
			Table: d.Table, Column: d.Column, Row: d.Row, Matomo: redact.Text(d.Want), Own: redact.Text(d.Got),
		}
		if redact.IsSecret(d.Column) {
			cell.Matomo, cell.Own = redact.Mask, redact.Mask
		}
		if d.Table != "" {
			full := r.pair.schema.prefix + d.Table
			cell.Unknown = c.own.written[full] == nil && c.matomo.written[full] != nil && !isLog(d.Table)
		}
		f.Cells = append(f.Cells, cell)
	}
	if f.Name == "" {
		r.report.Different++
	} else {
		r.report.Deliberate[f.Name]++
	}
	if len(r.report.Findings) < r.MaxFindings {
		r.report.Findings = append(r.report.Findings, f)
	}
	if r.FailFast && f.Name == "" {
		return errEnd(EndedFailure)
	}
	return nil
}

func isLog(table string) bool {
	for _, name := range looked {
		if name == table {
			return true
		}
	}
	return table == "option" || table == "site"
}

// masked is an array as JSON without secrets.
func masked(a *php.Array) json.RawMessage {
	if a == nil {
		return nil
	}
	text, err := php.EncodeJSON(php.ArrayValue(redact.Params(a)))
	if err != nil {
		text = strconv.Quote("not printable")
	}
	return json.RawMessage(text)
}
