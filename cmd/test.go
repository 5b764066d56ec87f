package cmd

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/plugins"
	"github.com/queuedtracking/queuedtracking/internal/selftest"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/tracker/device"
)

const testHelp = `Tries, one after the other, everything that processing needs: Matomo's directory and detection data; the database, the
rights on Matomo's tables and that these take part in transactions; the versions of Matomo, of plugin QueuedTracking and of
device-detector, and the active plugins; the connection to the queues and each primitive that locks and queues are made of.
Each line says ok, notice, not ok or skipped, and what to do. Below them are the active plugins that do not belong to
Matomo: what each does in tracking, whether that is native (a part of this program), harmless or left to PHP, and how
that was found out. -v lists all plugins, and what the version of Matomo does otherwise than others when it tracks.

It changes nothing: keys in Redis are its own (queuedtracking:test:…) and deleted at the end, statements in the database
concern no row. Passwords are not shown. The exit status is 1 if something that is needed does not work.`

const testExample = `  queuedtracking test
  queuedtracking test -v                                   and what this version of Matomo does
  queuedtracking test --json | jq '.checks[] | select(.status == "not ok")'
  queuedtracking test --matomo /var/www/matomo --skip-max-memory-config-check`

// testCommand: queuedtracking test.
type testCommand struct {
	*program
	skipMemory bool
	json       bool

	conn    *connection
	devices *device.Found // nil: device-detector was not looked at
	known   bool          // the settings were found
	judged  plugins.Judgement

	certificates certificates // that servers of Redis have shown
	report       selftest.Report
}

func newTestCommand(p *program) *cobra.Command {
	c := &testCommand{program: p}
	command := &cobra.Command{
		Use: "test", Short: "Try everything that processing needs", Long: testHelp, Example: testExample, Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command) },
	}
	flags := command.Flags()
	flags.BoolVar(&c.skipMemory, "skip-max-memory-config-check", false,
		"do not look at Redis' memory limit and eviction policy")
	flags.BoolVar(&c.json, "json", false, "print JSON")
	return command
}

func (c *testCommand) run(command *cobra.Command) error {
	ctx := command.Context()
	c.conn = c.newConnection(command.Flags())
	defer c.conn.close()
	if err := c.check(ctx); err != nil {
		return err
	}
	if err := c.print(); err != nil {
		return err
	}
	if !c.report.Works() {
		return &exitError{status: statusFailed}
	}
	return nil
}

// check makes all checks. The error is that of a wrong command line.
func (c *testCommand) check(ctx context.Context) error {
	c.report.Group("Matomo")
	err := c.conn.openConfig()
	if isUsage(err) {
		return err
	}
	if !c.report.Check("configuration", err, c.dir(), "") {
		return nil
	}
	c.checkFiles()

	c.report.Group("Database")
	d := c.conn.settings.database
	if !c.report.Check("connection", c.conn.openDatabase(ctx), fmt.Sprintf("%s at %s", d.Name, d.Address()), "") {
		c.report.Group("Installation")
		c.checkPlugins(ctx)
		c.report.Group("Queue")
		c.report.Skip("all", "the settings are in the database")
		return nil
	}
	c.checkConnections(ctx)
	c.report.Database(ctx, c.conn.db, c.conn.config.Database().Prefix, c.conn.installation.Found())
	c.checkColumns(ctx)

	c.report.Group("Installation")
	c.checkVersions(ctx)
	c.checkDeviceDetector()
	c.checkPlugins(ctx)

	c.report.Group("Queue")
	err = c.conn.readSettings(ctx)
	if isUsage(err) {
		return err
	}
	c.known = true
	if !c.report.Check("settings", err, c.conn.settings.queue.String(), "") {
		return nil
	}
	c.checkQueue(ctx)
	return nil
}

func (c *testCommand) dir() string {
	if c.conn.config == nil {
		return ""
	}
	return c.conn.config.Dir()
}

// checkFiles looks at what can be seen without the database.
func (c *testCommand) checkFiles() {
	config := c.conn.config
	c.checkSettings()
	c.report.Check("detection data", config.Vendor().Check(), "vendor files of Matomo found",
		"without device data process needs --without-device-detection; visits are then of unknown devices")
	if config.Tracker(0).RecordStatistics {
		c.report.OK("tracking", "switched on")
	} else {
		c.report.Notice("tracking", recordStatisticsOff, "")
	}
}

func (c *testCommand) checkQueue(ctx context.Context) {
	c.conn.onCertificate = c.certificates.add
	if err := c.conn.openQueue(ctx, 2); err != nil && c.conn.backend == nil {
		c.report.Fail("options", err, "")
		return
	}
	options := selftest.QueueOptions{Prefix: "queuedtracking:test:" + rand.Text(), SkipEviction: c.skipMemory}
	if !c.report.Queue(ctx, c.conn.backend, options) {
		return
	}
	c.checkRedisCertificates()
	orphans, err := c.conn.manager.Orphans(ctx)
	switch {
	case err != nil:
		c.report.Fail("queues", err, "")
	case len(orphans) > 0:
		c.report.Notice("queues", terminal.Count(len(orphans), "queue")+" left behind when their number was lowered",
			"process moves them into the remaining queues")
	default:
		c.report.OK("queues", fmt.Sprintf("%d, none left behind", c.conn.manager.Workers()))
	}
}

// testSettings are the settings in JSON, without secrets.
type testSettings struct {
	Backend       string        `json:"backend"`
	RedisType     string        `json:"redis_type"`
	RedisHost     string        `json:"redis_host"`
	RedisPort     string        `json:"redis_port"`
	RedisTimeout  time.Duration `json:"redis_timeout_ns"`
	RedisDatabase int           `json:"redis_database"`
	RedisUser     string        `json:"redis_user"`
	RedisPassword string        `json:"redis_password"` // "set" or ""
	SentinelName  string        `json:"sentinel_master_name"`
	SentinelLogin bool          `json:"use_password_for_sentinel_instances"`
	QueueEnabled  bool          `json:"queue_enabled"`
	Workers       int           `json:"num_queue_workers"`
	Requests      int           `json:"num_requests_to_process"`
	InRequests    bool          `json:"process_during_tracking_request"`
}

// settings are nil as long as they are not known: then the defaults would mislead.
func (c *testCommand) settings() *testSettings {
	if !c.known {
		return nil
	}
	q := c.conn.settings.queue
	s := testSettings{
		q.Backend, q.RedisType.String(), q.RedisHost, q.RedisPort, q.RedisTimeout, q.RedisDatabase, q.RedisUsername, "",
		q.SentinelName, q.SentinelLogin, q.Enabled, q.NumQueueWorkers, q.NumRequestsToProcess, q.ProcessDuringTrackingRequest,
	}
	if q.RedisPassword != "" {
		s.RedisPassword = "set"
	}
	return &s
}

func (c *testCommand) print() error {
	if c.json {
		return printJSON(c.stdout, map[string]any{
			"works": c.report.Works(), "settings": c.settings(), "versions": c.versions(), "behaviours": c.behaviours(),
			"plugins": c.plugins(), "checks": cleanChecks(c.report.Checks),
		})
	}
	c.printSettings()
	group := ""
	for i, check := range cleanChecks(c.report.Checks) {
		if check.Group != group {
			group = check.Group
			if i > 0 || c.known {
				fmt.Fprintln(c.stdout)
			}
			fmt.Fprintln(c.stdout, group)
		}
		fmt.Fprintln(c.stdout, c.entry(fmt.Sprintf("  %-7s  %-34s ", check.Status, check.Name), check.Detail, belowCheck))
		if check.Advice != "" && check.Status != selftest.OK {
			fmt.Fprintln(c.stdout, c.item(belowCheck+"-> ", check.Advice))
		}
	}
	if err := c.printPlugins(); err != nil {
		return err
	}
	if err := c.printBehaviours(); err != nil {
		return err
	}
	if c.report.Works() {
		fmt.Fprintln(c.stdout, "\nEverything that is needed works.")
	} else {
		fmt.Fprintln(c.stdout, "\nNot everything that is needed works: see the lines \"not ok\".")
	}
	return nil
}

// belowCheck is what stands before a line that goes on with a check.
const belowCheck = "           "

func cleanChecks(checks []selftest.Check) []selftest.Check {
	cleaned := make([]selftest.Check, len(checks))
	for i, check := range checks {
		check.Detail, check.Advice = clean(check.Detail), clean(check.Advice)
		cleaned[i] = check
	}
	return cleaned
}

func (c *testCommand) printSettings() {
	s := c.settings()
	if s == nil {
		return
	}
	password := "not set"
	if s.RedisPassword != "" {
		password = "set (not shown)"
	}
	fmt.Fprint(c.stdout, "Settings\n")
	lines := [][2]string{{"backend", s.Backend}}
	if s.Backend == matomo.BackendRedis {
		lines = [][2]string{
			{"backend", s.Backend + ", " + s.RedisType},
			{"redis host and port", strings.TrimSpace(s.RedisHost + " " + s.RedisPort)},
			{"redis timeout", s.RedisTimeout.String()},
			{"redis database", fmt.Sprint(s.RedisDatabase)},
			{"redis user and password", strings.TrimSpace(s.RedisUser + " " + password)},
		}
	}
	if s.Backend == matomo.BackendRedis && s.RedisType == matomo.RedisSentinel.String() {
		login := "only to Sentinels that ask for it"
		if s.SentinelLogin {
			login = "with that user and password"
		}
		lines = append(lines, [][2]string{{"sentinel master", s.SentinelName}, {"sentinel login", login}}...)
	}
	for _, line := range append(lines, [][2]string{
		{"queue enabled", fmt.Sprint(s.QueueEnabled)},
		{"queue workers", fmt.Sprint(s.Workers)},
		{"requests to process", fmt.Sprint(s.Requests)},
		{"process during tracking request", fmt.Sprint(s.InRequests)},
	}...) {
		fmt.Fprintln(c.stdout, c.entry(fmt.Sprintf("  %-33s ", line[0]), clean(line[1]), "    "))
	}
}
