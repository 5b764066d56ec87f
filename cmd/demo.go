package cmd

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/queue"
)

const demoHelp = `Shows the whole way of a tracking request on this machine alone: invents some thousand requests of visitors of three small
sites, queues them in a Redis inside this program as Matomo's plugin would, processes them with the code of "process" into
the tables of Matomo 6.0 in an SQLite file, and prints what came out.

Among the requests are page views, campaigns, site searches, events, downloads, outlinks, goals, carts and orders, visitors
whom AI assistants sent, AI agents that visit for somebody and bots that fetch pages for an assistant's answer, and also some
crawlers and some requests that Matomo refuses: see what becomes of them in the summary, with -v one by one.`

const demoExample = `  queuedtracking demo
  queuedtracking demo --requests 20000
  queuedtracking demo --keep -v        look at the database afterwards`

// demoCommand: queuedtracking demo.
type demoCommand struct {
	*program
	requests int
	seed     uint64
	keep     bool
}

func newDemoCommand(p *program) *cobra.Command {
	c := &demoCommand{program: p}
	command := &cobra.Command{
		Use: "demo", Short: "See it work, with nothing else on this machine", Long: demoHelp, Example: demoExample,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command.Context()) },
	}
	flags := command.Flags()
	flags.IntVar(&c.requests, "requests", 5000, "`number` of requests to invent")
	flags.Uint64Var(&c.seed, "seed", 1, "another number makes other visitors; the same one the same rows")
	flags.BoolVar(&c.keep, "keep", false, "keep the SQLite file")
	return command
}

// demoNow is the moment at which the demo takes place.
var demoNow = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

const demoQueues = 4

func (c *demoCommand) run(ctx context.Context) (err error) {
	if c.requests < 1 {
		return usage("--requests %d: wants 1 or more", c.requests)
	}
	outliveReader()
	dir, err := os.MkdirTemp("", "queuedtracking-demo-")
	if err != nil {
		return err
	}
	if !c.keep {
		defer os.RemoveAll(dir)
	}
	conn, err := c.install(ctx, dir)
	if err != nil {
		return err
	}
	defer conn.close()
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		return fmt.Errorf("redis inside the program: %w", err)
	}
	defer server.Close()
	conn.settings.queue.RedisHost, conn.settings.queue.RedisPort = server.Host(), server.Port()
	if err := conn.openQueue(ctx, 2); err != nil {
		return err
	}
	if err := c.fill(ctx, conn.manager); err != nil {
		return err
	}
	if err := c.process(ctx, conn); err != nil {
		return err
	}
	return c.report(ctx, conn, dir)
}

// install makes the directory and the database, and finds the settings.
func (c *demoCommand) install(ctx context.Context, dir string) (conn *connection, err error) {
	conn = &connection{program: c.program, settings: newOverrides()}
	if conn.config, conn.db, err = demo.Install(ctx, c.files, dir); err != nil {
		return nil, err
	}
	conn.installation, err = matomo.Open(ctx, conn.config, conn.db, c.now, matomo.Options{Random: c.random()})
	if err != nil {
		conn.close()
		return nil, err
	}
	conn.settings.queue.NumQueueWorkers = demoQueues
	return conn, nil
}

// now stands still: the demo's rows are the same whenever it runs.
func (c *demoCommand) now() time.Time { return demoNow }

// random is the same sequence of bytes for the same seed.
func (c *demoCommand) random() io.Reader {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], c.seed)
	return mathrand.NewChaCha8(seed)
}

// fill invents requests and queues them.
func (c *demoCommand) fill(ctx context.Context, manager *queue.Manager) error {
	generator, err := demo.NewGenerator(c.files, c.seed, demoNow)
	if err != nil {
		return err
	}
	sets := generator.Sets(c.requests)
	visitor := func(set queue.RequestSet, i int) ([]byte, string) {
		return queue.VisitorID(set.Requests[i]), php.ToString(set.Env.Server.Value("REMOTE_ADDR"))
	}
	for _, set := range sets {
		if err := manager.Add(ctx, set, visitor); err != nil {
			return err
		}
	}
	waiting, err := manager.Waiting(ctx)
	if err != nil {
		return err
	}
	first, last := demo.Span(sets)
	text := fmt.Sprintf("%s from %s to %s wait in %s:", terminal.Count(demo.Count(sets), "request"),
		first.Format(time.DateOnly), last.Format(time.DateOnly), terminal.Count(len(waiting), "queue"))
	for _, n := range waiting {
		text += " " + terminal.Number(n)
	}
	fmt.Fprintln(c.out(), fit(text+" sets", c.device(c.stdout).Width()))
	return nil
}

// process is what the command process does once everything is open.
func (c *demoCommand) process(ctx context.Context, conn *connection) (err error) {
	p := &processCommand{program: c.program, conn: conn, workers: 1, cycle: 1}
	p.assembly, err = assembly.Assemble(ctx, conn.installation, conn.db, assembly.Options{
		Clock: c.now, Random: c.random(), Cores: 1, Log: c.logs.Logger,
	})
	if err != nil {
		return err
	}
	defer p.assembly.Close() // files that were read
	o := p.options()
	o.Random, o.Threshold, o.BatchSize, o.Start = rand.Reader, 1, demoBatch, 0
	p.showProgress()
	summary, err := p.cycles(ctx, o)
	p.printSummary(summary)
	return err
}

// demoBatch is the number of request sets per transaction.
const demoBatch = 100

func (c *demoCommand) report(ctx context.Context, conn *connection, dir string) error {
	tables, err := demo.Report(ctx, conn.db, conn.config.Database().Prefix)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, t := range tables {
		fmt.Fprintf(&text, "\n%s\n", t.Title)
		if err := c.table(&text, t.Header, cleanCells(t.Rows)); err != nil {
			return err
		}
	}
	file := filepath.Join(dir, demo.DatabaseFile)
	if c.keep {
		fmt.Fprintf(&text, "\nThe database is %s\nLook into it, e.g.: sqlite3 %s 'SELECT * FROM matomo_log_visit LIMIT 3'\n",
			file, file)
	} else {
		fmt.Fprintf(&text, "\nThe database was %s\n--keep keeps it, to look into.\n", file)
	}
	_, err = c.sentences().Write(text.Bytes())
	return err
}

func cleanCells(rows [][]string) [][]string {
	cleaned := make([][]string, len(rows))
	for i, row := range rows {
		for _, text := range row {
			cleaned[i] = append(cleaned[i], cell(text, 60))
		}
	}
	return cleaned
}
