package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/queue"
)

const monitorHelp = `Shows what is in the queues and keeps showing it, every two seconds: how many request sets, how old the oldest of
them is, how many more (+) or fewer (-) there are each second, and when a queue that shrinks will be empty. Terminals
with UTF-8 also get graphs of what was seen so far, with a bar for each look.

On a terminal the table is refreshed in place, one page of queues at a time:

    , and .         first and last page
    left, right     a page back and forth
    up, down        ten pages forth and back
    1 … 9, 0        page 1 … 9, 10 of these ten
    q               quit

Below the queues it says what runs did today and yesterday (days of UTC), when and where the last one was, and what
went wrong last. Runs leave these numbers beside the queues; --json has them for each queue, with the reasons, for up
to 35 days (--days).

In a pipe it prints plain lines, with --json one object per refresh. There diff_per_second is what the queues lose per
second: it is negative when they grow. A server that goes away, to be restarted or replaced, is waited for.

With --once it looks once, says in the first line how things are, and tells it by its exit status, as plugins of
Nagios and its relatives do:

    0 OK            no threshold is exceeded
    1 WARNING       a queue holds more sets than --warn, or older ones than --warn-age
    2 CRITICAL      a queue holds more sets than --crit, or older ones than --crit-age
    3 UNKNOWN       the queues cannot be looked at, or the command line is wrong`

const monitorExample = `  queuedtracking monitor
  queuedtracking monitor --iterations 1 --json
  queuedtracking monitor --once --warn-age 10m --crit-age 1h
  queuedtracking monitor --once --warn 10000 --crit 100000`

const refreshEvery = 2 * time.Second

// monitorCommand: queuedtracking monitor.
type monitorCommand struct {
	*program
	iterations int
	rows, page int
	interval   time.Duration
	json, once bool
	limits     limits
	days       int

	conn   *connection
	before *snapshot
	graphs *graphs // nil: nothing is drawn
}

func newMonitorCommand(p *program) *cobra.Command {
	c := &monitorCommand{program: p}
	command := &cobra.Command{
		Use: "monitor", Short: "Show what is in the queues, again and again", Long: monitorHelp, Example: monitorExample,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command) },
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.BoolVar(&c.once, "once", false, "look once, and tell by the exit status whether there is a backlog")
	c.limits.addFlags(flags)
	flags.BoolVar(&c.json, "json", false, "print JSON")
	flags.IntVar(&c.iterations, "iterations", 0, "stop after this `number` of refreshes; default: go on for ever")
	flags.IntVarP(&c.rows, "rowperpage", "r", 16, "queues per page")
	flags.IntVarP(&c.page, "jumptopage", "p", 1, "page to show first")
	flags.DurationVar(&c.interval, "interval", refreshEvery, "time between refreshes")
	flags.IntVar(&c.days, "days", 2, "with --json: what runs did on this `number` of days, up to 35")
	p.withoutDatabaseFlag(flags)
	return command
}

func (c *monitorCommand) validate(command *cobra.Command) error {
	switch {
	case c.iterations < 0 || c.iterations == 0 && command.Flags().Changed("iterations"):
		return usage("--iterations %d: wants 1 or more", c.iterations)
	case c.rows < 1:
		return usage("--rowperpage %d: wants 1 or more", c.rows)
	case c.page < 1:
		return usage("--jumptopage %d: wants 1 or more", c.page)
	case c.days < 1 || c.days > keptDays:
		return usage("--days %d: wants 1 to %d", c.days, keptDays)
	case c.interval < 10*time.Millisecond:
		return usage("--interval %s: too short", c.interval)
	case !c.once && c.limits.given(command.Flags()):
		return usage("--warn, --crit, --warn-age and --crit-age belong to --once")
	}
	return c.limits.validate()
}

func (c *monitorCommand) run(command *cobra.Command) error {
	if err := c.validate(command); err != nil {
		return err
	}
	ctx := command.Context()
	c.conn = c.newConnection(command.Flags())
	defer c.conn.close()
	if err := c.conn.openQueues(ctx); err != nil {
		return err
	}
	switch {
	case c.once:
		return c.lookOnce(ctx)
	case !c.json && !c.device(c.stdout).IsPlain():
		return c.refresh(ctx)
	}
	return c.printLines(ctx)
}

// take looks at the queues and remembers what it saw, for the rate.
func (c *monitorCommand) take(ctx context.Context) (*snapshot, error) {
	s, err := takeSnapshot(ctx, c.conn, c.before)
	if err == nil {
		err = s.addHistory(ctx, c.conn.backend, c.days)
	}
	if err == nil {
		c.before = s
		c.graphs.add(s)
	}
	return s, err
}

// lookOnce is --once.
func (c *monitorCommand) lookOnce(ctx context.Context) error {
	s, err := c.take(ctx)
	if err != nil {
		return err
	}
	s.verdict = c.limits.orElse(c.conn.settings.queue).judge(s)
	if c.json {
		err = printJSON(c.stdout, s)
	} else {
		c.printOnce(s)
	}
	if err == nil && s.exit != statusDone {
		err = &exitError{status: s.exit}
	}
	return err
}

// printOnce prints the verdict in the first line, and what it is about: the table on a terminal, plain lines in a pipe.
func (c *monitorCommand) printOnce(s *snapshot) {
	columns := c.device(c.stdout).Width()
	fmt.Fprint(c.stdout, fit(s.verdict.line(s), columns))
	if columns == 0 {
		c.printPlain(s)
		return
	}
	pages := pager{rows: c.rows, page: c.page}
	pages.fit(len(s.Queues))
	fmt.Fprint(c.stdout, "\n"+view(s, nil, pages, false, columns))
}

// printLines is for pipes.
func (c *monitorCommand) printLines(ctx context.Context) error {
	if !c.json {
		fmt.Fprint(c.stdout, heading(c.conn.settings.queue, c.device(c.stdout).Width()))
	}
	for n := 1; ; n++ {
		err := c.printNext(ctx)
		if n == c.iterations || err != nil && !c.mayPass(err) {
			return err
		}
		if err != nil {
			c.logs.Warn("cannot look at the queues, trying again", "error", err)
		}
		if c.nap(ctx, c.interval); c.stopped() || ctx.Err() != nil {
			return nil
		}
	}
}

func (c *monitorCommand) printNext(ctx context.Context) error {
	s, err := c.take(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.stdout, s)
	}
	c.printPlain(s)
	return nil
}

// mayPass reports whether what kept from looking, after the first time, may be over soon: a fail-over or a restart.
func (c *monitorCommand) mayPass(err error) bool {
	return c.before != nil && errors.Is(err, queue.ErrUnavailable)
}

// refresh shows the table in place until q is pressed.
func (c *monitorCommand) refresh(ctx context.Context) error {
	screen, err := terminal.OpenScreen(c.stdin, c.stdout)
	if err != nil {
		return err
	}
	last, err := c.refreshScreen(ctx, screen)
	if e := screen.Close(); err == nil {
		err = e
	}
	fmt.Fprint(c.stdout, last) // what was seen last stays
	return err
}

func (c *monitorCommand) refreshScreen(ctx context.Context, screen *terminal.Screen) (shown string, err error) {
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	pages := pager{rows: c.rows, page: c.page}
	if terminal.DrawsBlocks(c.lookupEnv) {
		c.graphs = new(graphs)
	}
	_, err = c.take(ctx)
	for n := 1; err == nil || c.mayPass(err); n++ {
		pages.fit(len(c.before.Queues))
		columns := c.device(c.stdout).Width()
		shown = heading(c.conn.settings.queue, columns) + view(c.before, c.graphs, pages, screen.Keys() != nil, columns)
		if err != nil {
			shown += "\n" + terminal.Wrap("Seen last; trying again: "+printable(err), columns, "") + "\n"
		}
		if n == c.iterations {
			return shown, errors.Join(err, screen.Show(shown))
		}
		if err := screen.Show(shown); err != nil {
			return shown, err
		}
		select {
		case <-ctx.Done():
			return shown, nil
		case <-c.stop:
			return shown, nil
		case key := <-screen.Keys():
			if key == 'q' || key == terminal.KeyInterrupt {
				return shown, nil
			}
			pages.press(key)
			n-- // a key is no refresh
		case <-ticker.C:
			_, err = c.take(ctx)
		}
	}
	return shown, err
}
