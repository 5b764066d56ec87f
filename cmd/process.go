package cmd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/background"
	"github.com/queuedtracking/queuedtracking/internal/history"
	"github.com/queuedtracking/queuedtracking/internal/metrics"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/replay"
)

const processHelp = `Takes the queued tracking requests and writes what Matomo would write for them into its log tables.

It goes on until every queue that it may take holds fewer request sets than the plugin's setting "number of requests to
process" (or --force-num-requests-process-at-once) says. Queues that another worker has locked are left to that worker.
Position in the queue and rows are committed together: whatever happens, a request is neither lost nor tracked twice.

A transaction takes as many request sets as that setting says. Larger ones are faster: --batch auto lets them grow up
to 500 while a queue is long, as long as one takes less than a quarter of a second and nobody waits for a lock in the
database.

The first interrupt (Ctrl-C, SIGTERM) lets it finish the batch and say what was done; the second one ends it at once. A
terminal that goes away (SIGHUP) is such a first interrupt.

With --cycle 0 the plugin's settings, sites and goals are read again for each cycle; without a terminal SIGHUP asks
for it at once. When something has changed that is only looked at in the beginning (Matomo's version, files of the
configuration, where the queues are) the run ends after the batch with exit status 75, for the service manager to
start it anew.

Rows are those of the Matomo that is installed, from 5.0 to 5.14, and 6.0; other versions are refused. "queuedtracking
test" tells which one it is.

Requests that Matomo would refuse are counted with the reason, -v names each with its site and URL. Requests that the
database refuses, and entries that are damaged, are put aside as dead letters; the others of their batch are tracked.
Where the database refuses every request, because a trigger is broken, say, nothing is put aside: the queue stays as
it is, the exit status is 1.

At the end it says what was done, what still waits in the queues, and why. With --cycle there is one line a minute in
which something was done, with -v one for each cycle. --json prints these summaries as JSON, one object per line:
requests, tracked, excluded, rejected, dead_letters and more; "final" is true in the last one, which also has
"waiting" and "error".

A dry run judges each batch by itself, against the database as it is: it does not see what the batches in front of it
would have written. Of two orders with the same number in different batches, for instance, it takes both; the real run
refuses the second.

What runs did is kept beside the queues for 35 days, by day and queue: "queuedtracking monitor" shows it, also what
cron ran with -q. --metrics-file writes it for Prometheus, as the file that node_exporter's textfile collector reads.
A run that is killed loses a few seconds of these numbers, nothing else.`

const processExample = `  queuedtracking process
  queuedtracking process --force-num-requests-process-at-once 1     to the last request
  queuedtracking process --batch auto                               a long backlog, faster
  queuedtracking process --workers 4 --cycle 0 --sleep 2            for ever, looking every 2 seconds
  queuedtracking process --dry-run -v                               what would be refused, and why?
  queuedtracking process -q \
      --metrics-file /var/lib/prometheus/node-exporter/queuedtracking.prom
  queuedtracking process --json | jq .waiting                       what waits, and why?

  In a crontab, as the user of the web server:
  * * * * * cd /var/www/matomo && /usr/local/bin/queuedtracking process -q
  The whole path is needed: cron looks in /usr/bin and /bin alone. A package
  puts the program into /usr/bin.`

// processCommand: queuedtracking process.
type processCommand struct {
	*program
	queueID        optionalNumber
	force          int
	cycle          int
	sleep, delay   int
	workers        int
	maxBatches     int
	batch          batchFlag
	dryRun         bool
	engine         engineFlag
	php            string // the binary, "" to look for one
	ignorePlugins  bool
	withoutDevices bool
	forceVersion   bool
	metricsListen  string
	metricsFile    string
	statusPage     pageFlag
	json           bool

	conn     *connection
	looked   time.Time // when lookAfter last did its work
	chosen   chosenEngine
	assembly *assembly.Assembly
	progress *terminal.Progress
	metrics  *metrics.Worker   // nil: nobody asks
	history  *history.Recorder // nil: nothing is kept
	report   report
}

func newProcessCommand(p *program) *cobra.Command {
	c := &processCommand{program: p, statusPage: pageAuto}
	command := &cobra.Command{
		Use: "process", Short: "Track what is in the queues", Long: processHelp, Example: processExample, Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command) },
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(&c.queueID, "queue-id", "process only this `queue` (0, 1, …)")
	flags.IntVar(&c.force, "force-num-requests-process-at-once", 0,
		"take this `number` of request sets at once, and queues that hold as many, instead of what the plugin's settings say")
	flags.Var(&c.batch, "batch",
		"request sets per transaction: a `number`, or auto: more than the settings say while a queue is long")
	flags.IntVar(&c.workers, "workers", 1,
		"workers of this process; no more than one ever works on a queue, each has up to 5 connections to the database")
	flags.IntVarP(&c.cycle, "cycle", "c", 1, "how often to go over the queues, 0 for ever")
	flags.IntVarP(&c.sleep, "sleep", "s", 1, "seconds between two cycles")
	flags.IntVarP(&c.delay, "delay", "d", 0,
		"seconds to wait at the end, for supervisors that want a program to run for a while")
	flags.IntVar(&c.maxBatches, "max-batches", 0,
		"stop each worker after this `number` of batches per cycle; default: no limit")
	flags.BoolVar(&c.dryRun, "dry-run", false,
		"find out what would be tracked, excluded and refused; write nothing, remove nothing")
	c.engine = autoEngine
	flags.Var(&c.engine, "engine",
		"what tracks: native, this program; php, Matomo's own PHP, which is slower; "+
			"auto, native unless something is not known here")
	flags.StringVar(&c.php, "php", "",
		"PHP `binary` for the command line; default: $QUEUEDTRACKING_PHP, else it is looked for")
	flags.BoolVar(&c.ignorePlugins, "ignore-plugins", false,
		"process although an active plugin changes tracking in a way that is not known here")
	flags.BoolVar(&c.withoutDevices, "without-device-detection", false,
		"process without the data of device-detector: all devices are unknown")
	flags.BoolVar(&c.forceVersion, "force-version", false,
		"process for a Matomo other than 5.0 to 5.14 and 6.0, as the nearest of these would")
	flags.StringVar(&c.metricsListen, "metrics-listen", "",
		"`address` for /metrics, /healthz and /readyz while it runs, for --cycle 0")
	flags.Var(&c.statusPage, "status-page", pageUsage)
	flags.StringVar(&c.metricsFile, "metrics-file", "",
		"write what runs have counted to this `file`, for node_exporter's textfile collector")
	flags.BoolVar(&c.json, "json", false, "print summaries as JSON, one object per line")
	return command
}

func (c *processCommand) validate(command *cobra.Command) error {
	if c.php == "" {
		c.php, _ = c.lookupEnv("QUEUEDTRACKING_PHP")
	}
	switch {
	case command.Flags().Changed("force-num-requests-process-at-once") && c.force < 1:
		return usage("--force-num-requests-process-at-once %d: wants 1 or more", c.force)
	case c.workers < 1:
		return usage("--workers %d: wants 1 or more", c.workers)
	case c.cycle < 0:
		return usage("--cycle %d: wants the number of cycles, 0 for ever", c.cycle)
	case c.delay < 0:
		return usage("--delay %d: wants seconds", c.delay)
	case c.maxBatches < 0:
		return usage("--max-batches %d: wants 1 or more", c.maxBatches)
	}
	c.sleep = max(1, c.sleep) // as Matomo's console
	return nil
}

func (c *processCommand) run(command *cobra.Command) (err error) {
	if err := c.validate(command); err != nil {
		return err
	}
	c.flags.json = c.json
	c.reloads.Store(c.cycle == 0 && !c.onTerminal)
	outliveReader()
	background.Work()
	ctx := command.Context()
	c.conn = c.newConnection(command.Flags())
	defer c.conn.close()
	defer c.chosen.close()
	if err := c.prepare(ctx); err != nil {
		c.recordRefusal(ctx, err)
		return fmt.Errorf("%w; nothing was processed", err)
	}
	if !c.conn.config.Tracker(0).RecordStatistics {
		c.tellSwitchedOff(ctx)
		return nil
	}
	if err := c.beginHistory(); err != nil {
		return fmt.Errorf("%w; nothing was processed", err)
	}
	defer func() { err = c.endHistory(ctx, err) }()
	c.assembly, err = assembly.Assemble(ctx, c.conn.installation, c.conn.db, assembly.Options{
		WithoutDevices: c.withoutDevices, Clock: c.clock, Random: rand.Reader, Cores: c.cores(), Log: c.logs.Logger,
	})
	if err != nil {
		return fmt.Errorf("%w; nothing was processed", err)
	}
	defer c.assembly.Close() // files that were read
	c.warnOfMissingColumns(c.assembly.Store().Schema())
	endMetrics, err := c.openMetrics()
	if err != nil {
		return fmt.Errorf("%w; nothing was processed", err)
	}
	defer endMetrics()
	if err := c.moveOrphans(ctx); err != nil {
		return err
	}
	c.tellEngine()
	c.showProgress()
	summary, err := c.cycles(ctx, c.options())
	c.conclude(ctx, summary, err)
	if err == nil && c.delay > 0 {
		c.nap(ctx, time.Duration(c.delay)*time.Second)
	}
	return err
}

// cores is each worker's share of the machine.
func (c *processCommand) cores() int { return max(1, background.Cores/c.workers) }

// threshold is how many request sets a queue must hold to be taken.
func (c *processCommand) threshold() int {
	if c.force > 0 {
		return c.force
	}
	return c.conn.settings.queue.NumRequestsToProcess
}

// options are those of all cycles.
func (c *processCommand) options() replay.Options {
	s := c.conn.settings.queue
	o := replay.Options{
		Backend: c.conn.backend, Store: c.assembly.Store(), Clock: c.clock, Random: rand.Reader, Log: c.logs.Logger,
		Queues: s.NumQueueWorkers, Only: replay.AnyQueue, BatchSize: s.NumRequestsToProcess,
		Threshold:  s.NumRequestsToProcess,
		MaxBatches: c.maxBatches, Workers: c.workers, Cores: c.cores(),
		Start: int(c.clock().UnixNano()/1000) % s.NumQueueWorkers, DryRun: c.dryRun,
		OnBatch: c.onBatch,
	}
	if c.force > 0 {
		o.BatchSize, o.Threshold = c.force, c.force
	}
	switch {
	case c.batch.auto:
		o.BatchSize, o.MaxBatchSize = s.NumRequestsToProcess, maxAutoBatch
	case c.batch.set:
		o.BatchSize = c.batch.size
	}
	if c.queueID.set {
		o.Only = c.queueID.value
	}
	return o
}

// maxAutoBatch is the size up to which batches grow with --batch auto: larger ones are hardly faster, but need more
// memory.
const maxAutoBatch = 500

// batchFlag is the value of --batch.
type batchFlag struct {
	set, auto bool
	size      int
}

func (f *batchFlag) String() string {
	switch {
	case f.auto:
		return "auto"
	case f.set:
		return strconv.Itoa(f.size)
	}
	return ""
}

func (f *batchFlag) Type() string { return "number" }

func (f *batchFlag) Set(text string) error {
	if text == "auto" {
		*f = batchFlag{set: true, auto: true}
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return errors.New("wants a number from 1, or auto")
	}
	*f = batchFlag{set: true, size: n}
	return nil
}
