package cmd

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/background"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/verify"
	"github.com/queuedtracking/queuedtracking/tracker/device"
)

const verifyHelp = `Lets Matomo's own PHP and this program track the same requests, your own, with your plugins, settings and data, and
compares every cell of every row that the two write: "2,000 requests, 2,000 equal", or which request differs in which
column, with both values. Run it before you change a line of the crontab, and after each upgrade.

It takes the next entries of the queues and leaves them where they are: nothing is removed and no worker is locked out.
Both track in transactions that are rolled back, PHP first. No row of either stays in any table, no name, no salt, no
option. What stays are gaps in the numbers of visits and actions (AUTO_INCREMENT), and what plugins do outside the
database: mail, files, other servers.

It is made for a site in use: a few entries at a time (--batch), no wait for a lock of more than a second (--lock-wait),
pauses when somebody else waits, and an end after ten minutes (--time-limit). Quiet hours are better all the same: each
request is tracked at least twice, by PHP at its own speed.

A difference has to be seen twice, the second time by new processes; then the first request that brings it about is
looked for. What is not seen again, because others wrote meanwhile, counts as equal. Differences that are meant
(docs/differences.md) are listed by name where they can be told. Columns of plugins are compared as well, and tables
that PHP writes and this program does not know are named.

--keep FILE writes the entries that were compared, with tokens, passwords and cookies masked, one in a line, to be
compared again (--from FILE) or sent with a report of a difference. Requests whose token is masked are refused, by both.

Exit status: 0 all are equal, but for what is meant; 1 some differ; 2 nothing could be compared.`

const verifyExample = `  queuedtracking verify
  queuedtracking verify --queue-id 0 --limit 200 --fail-fast
  queuedtracking verify --sample 1/20 --limit 5000 --time-limit 1h     all over long queues
  queuedtracking verify --keep requests.jsonl && gzip requests.jsonl
  queuedtracking verify --from requests.jsonl                          the same ones, after an upgrade
  queuedtracking verify --json | jq '.differences[].cells'`

// statusNotCompared is for verify when it could not find out.
const statusNotCompared = 2

// verifyCommand: queuedtracking verify.
type verifyCommand struct {
	*program
	queueID   optionalNumber
	limit     int
	batch     int
	timeLimit time.Duration
	lockWait  time.Duration
	sample    sampleFlag
	from      string
	keep      string
	php       string
	show      int
	failFast  bool
	json      bool

	conn *connection
}

func newVerifyCommand(p *program) *cobra.Command {
	c := &verifyCommand{program: p}
	command := &cobra.Command{
		Use: "verify", Short: "Compare with Matomo's own PHP on your own requests", Long: verifyHelp, Example: verifyExample,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command) },
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(&c.queueID, "queue-id", "only this `queue` (0, 1, …)")
	flags.IntVar(&c.limit, "limit", verify.DefaultLimit, "compare this `number` of requests, 0 for all that wait")
	flags.Var(&c.sample, "sample", "compare a `share` of the entries, such as 1/100: of each hundred the first")
	flags.IntVar(&c.batch, "batch", verify.DefaultBatch, "entries that are tracked in a transaction, at most")
	flags.DurationVar(&c.timeLimit, "time-limit", verify.DefaultTimeLimit,
		"begin no comparison after this `time`, 0 for none")
	flags.DurationVar(&c.lockWait, "lock-wait", verify.DefaultLockWait, "how `long` to wait for a lock, in whole seconds")
	flags.StringVar(&c.from, "from", "", "`file` with entries that were kept (--keep), in place of the queues")
	flags.StringVar(&c.keep, "keep", "", "new `file` for the entries that were compared, secrets masked")
	flags.StringVar(&c.php, "php", "",
		"PHP `binary` for the command line; default: $QUEUEDTRACKING_PHP, else it is looked for")
	flags.IntVar(&c.show, "show", verify.DefaultMaxFindings, "`number` of differences to tell in full")
	flags.BoolVar(&c.failFast, "fail-fast", false, "end with the first difference that is not meant")
	flags.BoolVar(&c.json, "json", false, "print the report as JSON")
	return command
}

func (c *verifyCommand) validate() error {
	if c.php == "" {
		c.php, _ = c.lookupEnv("QUEUEDTRACKING_PHP")
	}
	switch {
	case c.limit < 0:
		return usage("--limit %d: wants a number of requests, 0 for all", c.limit)
	case c.batch < 1:
		return usage("--batch %d: wants 1 or more", c.batch)
	case c.show < 1:
		return usage("--show %d: wants 1 or more", c.show)
	case c.timeLimit < 0:
		return usage("--time-limit %s: wants a time such as 10m, 0 for none", c.timeLimit)
	case c.lockWait < time.Second:
		return usage("--lock-wait %s: wants 1s or more", c.lockWait)
	case c.from != "" && c.queueID.set:
		return usage("--from and --queue-id: entries come from a file or from a queue")
	case c.from != "" && c.sample.of > 1:
		return usage("--from and --sample: of a file all entries are compared")
	}
	return nil
}

func (c *verifyCommand) run(command *cobra.Command) error {
	if err := c.validate(); err != nil {
		return err
	}
	c.flags.json = c.json
	outliveReader()
	background.Work()
	c.conn = c.newConnection(command.Flags())
	defer c.conn.close()
	report, err := c.verify(command.Context())
	if isUsage(err) {
		return err
	}
	if err != nil {
		report.Notes = append(report.Notes, printable(err))
	}
	if printed := c.print(report); printed != nil {
		return printed
	}
	switch {
	case err != nil:
		if !report.Compared() {
			err = fmt.Errorf("%w; nothing was compared", err)
		}
		return &exitError{status: statusNotCompared, err: err}
	case report.Different > 0:
		return &exitError{status: statusFailed}
	case !report.Compared():
		return &exitError{status: statusNotCompared, err: errors.New(c.nothing(report))}
	}
	return nil
}

// nothing says why nothing was compared.
func (c *verifyCommand) nothing(report *verify.Report) string {
	switch {
	case report.Left > 0:
		return "nothing could be compared"
	case report.Ended != verify.EndedAtEnd:
		return "the run ended before anything was compared"
	case c.from != "":
		return c.from + " has no entries"
	}
	return "there is nothing to compare: the queues are empty. Entries that were kept earlier can be compared with --from"
}

// verify does the work. The report is never nil.
func (c *verifyCommand) verify(ctx context.Context) (*verify.Report, error) {
	nothing := new(verify.Report)
	if err := c.conn.openConfig(); err != nil {
		return nothing, err
	}
	if err := c.conn.openDatabase(ctx); err != nil {
		return nothing, err
	}
	source, closeSource, err := c.source(ctx)
	if err != nil {
		return nothing, err
	}
	defer closeSource()
	keep, closeKept, err := c.keeper()
	if err != nil {
		return nothing, err
	}
	devices, err := device.Load(c.conn.config.Vendor().DeviceDetector())
	if err != nil {
		return nothing, errors.Join(fmt.Errorf("device detection: %w", err), closeKept())
	}
	child, err := c.conn.findPHP(ctx, c.php)
	if err != nil {
		return nothing, errors.Join(fmt.Errorf("with Matomo's own PHP: %w", err), closeKept())
	}
	php := c.conn.phpOptions(c.logs.Logger)
	php.Binary = child.Hello().Binary
	child.LogTo(c.logs.Logger)
	report, err := verify.Run(ctx, source, verify.Options{
		Batch: c.batch, Limit: c.limit, TimeLimit: c.timeLimit, FailFast: c.failFast, MaxFindings: c.show,
		Log: c.logs.Logger, Stop: c.stop, Keep: keep, OnBatch: c.onBatch(),
		Native: verify.NativeOptions{
			Config: c.conn.config, DB: c.conn.db, LockWait: c.lockWait,
			Assembly: assembly.Options{
				Devices: devices, Clock: c.clock, Random: rand.Reader, Cores: 1, Log: c.logs.Logger,
			},
		},
		PHP: verify.PHPOptions{Child: php, First: child, DB: c.conn.db, LockWait: c.lockWait},
	})
	c.addVersions(ctx, report)
	return report, errors.Join(err, closeKept())
}

// source are the entries: those of a file, or those at the front of the queues.
func (c *verifyCommand) source(ctx context.Context) (source verify.Source, closing func(), err error) {
	if c.from != "" {
		file, err := os.Open(c.from)
		if err != nil {
			return nil, nil, fmt.Errorf("--from: %w", err)
		}
		return verify.NewFile(file), func() { _ = file.Close() }, nil
	}
	if err := c.conn.readSettings(ctx); err != nil {
		return nil, nil, err
	}
	if err := c.conn.openQueue(ctx, 2); err != nil {
		return nil, nil, err
	}
	queues := &verify.Queues{Backend: c.conn.backend, Sample: c.sample.of}
	for id := range c.conn.queueCount() {
		if !c.queueID.set || id == c.queueID.value {
			queues.IDs = append(queues.IDs, id)
		}
	}
	if len(queues.IDs) == 0 {
		return nil, nil, usage("--queue-id %d: the number of queues is %d, counted from 0", c.queueID.value,
			c.conn.queueCount())
	}
	return queues, func() {}, nil
}

// keeper writes what was compared, nil when nobody wants it. An existing file is left alone.
func (c *verifyCommand) keeper() (keep func(*verify.Entry) error, closing func() error, err error) {
	if c.keep == "" {
		return nil, func() error { return nil }, nil
	}
	file, err := os.OpenFile(c.keep, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("--keep: %w", err)
	}
	return verify.Keep(io.Writer(file)), file.Close, nil
}

func (c *verifyCommand) onBatch() func(entries int) {
	total := 0
	return func(entries int) {
		total += entries
		c.logs.Debug("compared", "entries", entries, "so_far", total)
	}
}

// addVersions names everything that a report of a difference needs.
func (c *verifyCommand) addVersions(ctx context.Context, report *verify.Report) {
	v := &report.Versions
	v.Program, v.Matomo = versionName(), c.conn.installation.Version()
	if plugin := c.conn.installation.Found().QueuedTracking; plugin != (matomo.Version{}) {
		v.Plugin = plugin.String()
	}
	_ = c.conn.db.GetContext(ctx, &v.Database, "SELECT VERSION()") // a version that is not known is not named
	v.Plugin, v.Database = cmp.Or(v.Plugin, "unknown"), cmp.Or(v.Database, "unknown")
}

// sampleFlag is the value of --sample: one of so many.
type sampleFlag struct{ of int }

func (f *sampleFlag) String() string {
	if f.of == 0 {
		return ""
	}
	return "1/" + strconv.Itoa(f.of)
}

// Type implements pflag.Value.
func (f *sampleFlag) Type() string { return "share" }

// Set implements pflag.Value.
func (f *sampleFlag) Set(text string) error {
	one, of, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(of)
	if one != "1" || err != nil || n < 1 || n > maxSample {
		return fmt.Errorf("wants a share such as 1/100, 1/%d at least", maxSample)
	}
	f.of = n
	return nil
}

// maxSample bounds what has to be read for one entry.
const maxSample = 1000
