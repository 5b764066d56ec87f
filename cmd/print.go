package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/redact"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/queue"
)

const printHelp = `Prints the requests of each queue that will be processed next. Nothing is taken out of the queue.

The table shows one line per request; with -v it also lists all parameters. --json prints one JSON object per entry,
with everything that is in it. Tokens, passwords and cookies are masked in both, and characters that would control your
terminal are escaped: these are texts that strangers have sent.`

const printExample = `  queuedtracking print-queued-requests
  queuedtracking print-queued-requests --queue-id 3 --limit 5 -v
  queuedtracking print-queued-requests --json | jq '.requests[].url'`

// printCommand: queuedtracking print-queued-requests.
type printCommand struct {
	*program
	queueID optionalNumber
	limit   int
	json    bool
}

func newPrintCommand(p *program) *cobra.Command {
	c := &printCommand{program: p}
	command := &cobra.Command{
		Use: "print-queued-requests", Short: "Show the next requests of each queue", Long: printHelp, Example: printExample,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command) },
	}
	flags := command.Flags()
	flags.Var(&c.queueID, "queue-id", "only this `queue` (0, 1, …)")
	flags.IntVar(&c.limit, "limit", 0, "entries per queue; default: those of the next batch (numRequestsToProcess)")
	flags.BoolVar(&c.json, "json", false, "print JSON, one object per entry")
	p.withoutDatabaseFlag(flags)
	return command
}

func (c *printCommand) run(command *cobra.Command) error {
	if c.limit < 0 {
		return usage("--limit %d: wants 1 or more", c.limit)
	}
	ctx := command.Context()
	conn := c.newConnection(command.Flags())
	defer conn.close()
	if err := conn.openQueues(ctx); err != nil {
		return err
	}
	if c.limit == 0 {
		c.limit = conn.settings.queue.NumRequestsToProcess
	}
	waiting, err := conn.manager.Waiting(ctx)
	if err != nil {
		return err
	}
	if c.queueID.set && c.queueID.value >= len(waiting) {
		return usage("--queue-id %d: the number of queues is %d, counted from 0", c.queueID.value, len(waiting))
	}
	for id, n := range waiting {
		if c.queueID.set && id != c.queueID.value {
			continue
		}
		if err := c.printQueue(ctx, conn.backend, id, n); err != nil {
			return err
		}
	}
	return nil
}

func (c *printCommand) printQueue(ctx context.Context, backend queue.Backend, id int, waiting int64) error {
	elements, err := backend.Range(ctx, queue.Key(id), 0, c.limit)
	if err != nil {
		return err
	}
	if c.json {
		for i, element := range elements {
			if err := printJSON(c.stdout, entryJSON(id, i, element)); err != nil {
				return err
			}
		}
		return nil
	}
	if id > 0 && !c.queueID.set {
		fmt.Fprintln(c.stdout)
	}
	fmt.Fprintf(c.stdout, "Queue %d: %s", id, terminal.Count(waiting, "request set"))
	if len(elements) == 0 {
		fmt.Fprintln(c.stdout)
		return nil
	}
	switch n := len(elements); {
	case n == 1 && waiting > 1:
		fmt.Fprint(c.stdout, ", the next one is")
	case int64(n) < waiting:
		fmt.Fprintf(c.stdout, ", the next %d are", n)
	}
	fmt.Fprintln(c.stdout)
	var rows [][]string
	for i, element := range elements {
		rows = append(rows, c.entryRows(i, element)...)
	}
	return c.table(c.stdout, []string{"#Entry", "Queued (UTC)", "#Site", "Visitor", "Client", "Request"}, rows)
}

// entryRows are the lines of an entry in the table, one per request.
func (c *printCommand) entryRows(position int, element []byte) [][]string {
	number := strconv.Itoa(position + 1)
	set, err := queue.Decode(element)
	if err != nil {
		return [][]string{{number, "", "", "", "", "cannot be decoded: " + printable(err)}}
	}
	queued := time.Unix(set.Time, 0).UTC().Format(time.DateTime)
	if len(set.Requests) == 0 {
		return [][]string{{number, queued, "", "", "", "no requests"}}
	}
	rows := make([][]string, len(set.Requests))
	for i, params := range set.Requests {
		get := func(name string) string { return cell(php.ToString(params.Value(name)), 40) }
		rows[i] = []string{number, queued, get("idsite"), visitor(get), cell(client(set.Env), 40), c.describe(params)}
	}
	return rows
}

const cellWidth = 90

// cell makes a text of strangers fit for a table.
func cell(s string, width int) string { return terminal.Shorten(clean(s), width) }

func visitor(get func(string) string) string {
	for _, name := range []string{"uid", "cid", "_id"} {
		if v := get(name); v != "" {
			return v
		}
	}
	return ""
}

// client is the address that the request came from, as far as it can be told without Matomo's settings.
func client(env queue.Env) string {
	if env.Server == nil {
		return ""
	}
	if via := php.ToString(env.Server.Value("HTTP_X_FORWARDED_FOR")); via != "" {
		return via
	}
	return php.ToString(env.Server.Value("REMOTE_ADDR"))
}

// kinds tell by a parameter what a request is about.
var kinds = []struct{ param, name string }{
	{"ping", "ping"},
	{"ec_id", "order"},
	{"ec_items", "cart"},
	{"idgoal", "goal"},
	{"download", "download"},
	{"link", "outlink"},
	{"e_c", "event"},
	{"search", "search"},
	{"c_n", "content"},
	{"url", "page"},
}

// describe tells what a request is about: its kind and what it names; with -v all parameters.
func (c *printCommand) describe(params *php.Array) string {
	lines := []string{"other"}
	for _, kind := range kinds {
		if v := params.Value(kind.param); !php.Empty(v) {
			lines[0] = kind.name + " " + cell(valueText(redact.Value(v)), cellWidth)
			break
		}
	}
	if c.flags.verbose == 0 {
		return lines[0]
	}
	for key, value := range redact.Params(params).All() {
		lines = append(lines, cell("  "+key+" = "+valueText(value), cellWidth))
	}
	return strings.Join(lines, "\n")
}

func valueText(v php.Value) string {
	if v.Kind() != php.KindArray {
		return php.ToString(v)
	}
	encoded, err := php.EncodeJSON(v)
	if err != nil {
		return "(not printable)"
	}
	return readable(encoded)
}

// printedEntry is an entry in JSON.
type printedEntry struct {
	Queue    int               `json:"queue"`
	Position int               `json:"position"`
	Queued   string            `json:"queued,omitempty"`
	Requests []json.RawMessage `json:"requests,omitempty"`
	Server   json.RawMessage   `json:"server,omitempty"`
	Cookies  json.RawMessage   `json:"cookies,omitempty"`
	Error    string            `json:"error,omitempty"`
}

func entryJSON(id, position int, element []byte) printedEntry {
	e := printedEntry{Queue: id, Position: position}
	set, err := queue.Decode(element)
	if err != nil {
		e.Error = printable(err)
		return e
	}
	e.Queued = time.Unix(set.Time, 0).UTC().Format(time.RFC3339)
	for _, params := range set.Requests {
		e.Requests = append(e.Requests, rawJSON(redact.Params(params)))
	}
	if set.Env.Server != nil {
		e.Server = rawJSON(redact.Params(set.Env.Server))
	}
	if set.Env.Cookie != nil {
		e.Cookies = rawJSON(redact.Cookies(set.Env.Cookie))
	}
	return e
}
