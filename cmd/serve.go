package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/receive"
)

const serveHelp = `Receives tracking requests over HTTP and puts them into the queues, in place of Matomo's matomo.php with the plugin's queue
enabled: same answers, same entries, for PHP workers and for "queuedtracking process". Put it behind the web server,
for the paths /matomo.php, /piwik.php and /js/tracker.php (there only requests with parameters).

A request is answered when Redis has it. With --spool requests are kept on disk while Redis is away and follow, in
order, when it is back; when there is no place left, or without --spool, clients get status 503 and Retry-After.

With --wait-replicas N a request is answered when N replicas have it, too, so that a fail-over of Sentinel or Cluster
loses nothing. When they do not within --replica-timeout the request is in the queue, but not safely. With --spool it
is kept on disk as well: the client gets the usual answer, and the request is queued once more only if it was lost
with its server. Without --spool the client gets status 503 although the request may be tracked: a client that repeats
it may be counted twice. Either way it is counted in queuedtracking_received_unreplicated_entries_total.

Requests with queuedtracking=0 are tracked at once. With --process, or where the plugin's setting "process during
tracking request" is on, this process also tracks what is queued, so that no other worker is needed.

The first interrupt (Ctrl-C, SIGTERM) lets requests under way end, as long as --drain-timeout at most; the second one
cuts them off. What is in the spool stays there for the next start.

Matomo's options and the number of queues are read again every minute, and at once after SIGHUP where no terminal is;
files of the configuration are read at the start only. At a terminal SIGHUP is a first interrupt.`

const serveExample = `  queuedtracking serve --listen 127.0.0.1:8080 --spool /var/lib/queuedtracking
  queuedtracking serve --listen unix:/run/queuedtracking/http.sock \
      --metrics-listen 127.0.0.1:9190
  queuedtracking serve --listen systemd                             the socket of a .socket unit
  queuedtracking serve --without-database                           settings from files and flags alone

  In nginx:
  location ~ ^/(matomo|piwik)\.php$ {
      proxy_pass http://127.0.0.1:8080;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
  }
  and in section [General] of Matomo's config/config.ini.php:
  proxy_client_headers[] = HTTP_X_FORWARDED_FOR`

// serveCommand: queuedtracking serve.
type serveCommand struct {
	*program
	listen, metricsListen string
	listenMode            fileMode
	page                  pageFlag
	prefix                string
	spool                 string
	spoolMiB              int64
	replicas              int
	replicaTimeout        time.Duration
	bodyMiB               int64
	limits                receive.Limits
	grace                 time.Duration
	process               bool
	accessLog             bool
	ignorePlugins         bool

	conn     *connection
	registry *prometheus.Registry
	general  *options
	queues   receive.Appender
	store    *receive.Spool
	writer   *receive.Writer
	inside   *insideWorker // nil: this process tracks nothing

	batchSize atomic.Int64    // setting numRequestsToProcess, for inside
	told      map[string]bool // what wants a restart
}

func newServeCommand(p *program) *cobra.Command {
	c := &serveCommand{
		program: p, limits: receive.DefaultLimits(), listenMode: fileMode(receive.DefaultMode), page: pageAuto,
	}
	command := &cobra.Command{
		Use: "serve", Short: "Receive tracking requests into the queues", Long: serveHelp, Example: serveExample,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command) },
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&c.listen, "listen", "127.0.0.1:8080",
		"`address`: host:port, unix:PATH, or systemd for the socket of a unit")
	flags.Var(&c.listenMode, "listen-mode", "who may connect to the unix socket that --listen names: `mode` as for chmod")
	flags.StringVar(&c.metricsListen, "metrics-listen", "",
		"`address` for /metrics, /healthz and /readyz; the last two are also at --listen")
	flags.Var(&c.page, "status-page", pageUsage)
	flags.StringVar(&c.prefix, "prefix", "", "`path` before /matomo.php, such as /analytics")
	flags.StringVar(&c.spool, "spool", "", "`directory` that keeps requests while Redis is away")
	flags.Int64Var(&c.spoolMiB, "spool-max", 1024, "most `MiB` of it")
	flags.IntVar(&c.replicas, "wait-replicas", 0, "answer when this `number` of Redis replicas have a request, too")
	flags.DurationVar(&c.replicaTimeout, "replica-timeout", time.Second, "longest `time` to wait for them")
	flags.BoolVar(&c.process, "process", false,
		"also track what is queued; default: the plugin's setting \"process during tracking request\"")
	flags.Int64Var(&c.bodyMiB, "max-body", c.limits.BodyBytes>>20, "longest body in `MiB`")
	flags.IntVar(&c.limits.BulkRequests, "max-bulk", c.limits.BulkRequests, "most `requests` in one bulk request")
	flags.IntVar(&c.limits.Connections, "max-connections", c.limits.Connections, "most open `connections`")
	flags.DurationVar(&c.limits.ReadTimeout, "read-timeout", c.limits.ReadTimeout,
		"longest `time` that a client may take to send a body")
	flags.DurationVar(&c.limits.IdleTimeout, "idle-timeout", c.limits.IdleTimeout,
		"longest `time` that a connection may be idle")
	flags.DurationVar(&c.grace, "drain-timeout", 10*time.Second, "longest `time` that requests under way get at the end")
	flags.Float64Var(&c.limits.Rate, "rate", 0,
		"most `requests` per second of one client address, with status 429 beyond; 0: no limit")
	flags.IntVar(&c.limits.Burst, "burst", c.limits.Burst, "`requests` that an address may send at once, with --rate")
	flags.BoolVar(&c.accessLog, "access-log", false,
		"write a line for each request to stderr: client, path, status, time; never parameters")
	flags.BoolVar(&c.ignorePlugins, "ignore-plugins", false,
		"receive, and with --process track, although an active plugin does something to it that is not known here")
	p.withoutDatabaseFlag(flags)
	return command
}

func (c *serveCommand) run(command *cobra.Command) (err error) {
	c.limits.BodyBytes = c.bodyMiB << 20
	c.limits.BodyMemory = max(c.limits.BodyMemory, c.limits.BodyBytes)
	if err := c.limits.Validate(); err != nil {
		return usage("%w", err)
	}
	if c.spoolMiB < 1 {
		return usage("--spool-max %d: wants 1 or more", c.spoolMiB)
	}
	if c.replicas < 0 || c.replicaTimeout < time.Millisecond {
		return usage("--wait-replicas %d, --replica-timeout %v: want 0 or more, and 1ms or more", c.replicas,
			c.replicaTimeout)
	}
	c.reloads.Store(!c.onTerminal)
	outliveReader()
	ctx := command.Context()
	c.conn = c.newConnection(command.Flags())
	defer c.conn.close()
	if err := c.open(ctx); err != nil {
		return err
	}
	c.registry = c.conn.newRegistry()
	if err := c.openInside(ctx, command.Flags().Changed("process")); err != nil {
		return err
	}
	if c.inside != nil {
		defer c.inside.close()
	}
	if c.spool != "" {
		if c.store, err = receive.OpenSpool(c.spool, c.spoolMiB<<20, c.clock, c.logs.Logger); err != nil {
			return err
		}
		defer c.store.Close()
		receive.WatchSpool(c.registry, c.store)
	}
	defer c.collectSeldom()()
	return c.serve(ctx)
}

// collectSeldom collects garbage seldom, unless the environment has its own wish or this process also keeps the data
// for tracking.
func (c *serveCommand) collectSeldom() (restore func()) {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if _, set := c.lookupEnv(name); set {
			return func() {}
		}
	}
	if c.inside != nil && c.inside.always {
		return func() {}
	}
	return receive.CollectSeldom()
}

// writeTimeout bounds a write to the queues, without the wait for replicas.
const writeTimeout = 3 * time.Second

// open finds settings and queues. Redis may be away at first when there is a spool.
func (c *serveCommand) open(ctx context.Context) error {
	if err := c.openSettings(ctx); err != nil {
		return err
	}
	if err := c.checkReception(ctx); err != nil {
		return err
	}
	err := c.conn.openQueue(ctx, 16)
	if c.conn.backend == nil {
		return err
	}
	if c.queues = c.conn.backend; c.replicas > 0 {
		redis, ok := c.conn.backend.(*queue.Redis)
		if !ok {
			return usage("--wait-replicas needs queues in Redis")
		}
		replicated := redis.Replicated(c.replicas, c.replicaTimeout)
		if c.queues = replicated; err == nil {
			err = replicated.Check(ctx)
		}
	}
	if c.spool != "" && errors.Is(err, queue.ErrUnavailable) {
		c.logs.Warn("queue is away, requests go to the spool", "error", err)
		return nil
	}
	return err
}

func (c *serveCommand) openSettings(ctx context.Context) (err error) {
	if !c.flags.withoutDatabase {
		if err := c.conn.openConfig(); err != nil {
			return err
		}
		if err := c.conn.openDatabase(ctx); err != nil {
			return fmt.Errorf("%w (--without-database does without it)", err)
		}
	} else if _, err := c.matomoDir(); err == nil {
		if err := c.conn.openConfig(); err != nil {
			return err
		}
	} else if c.conn.config, err = matomo.ParseConfig("", ""); err != nil {
		return err
	}
	if err := c.conn.readSettings(ctx); err != nil {
		return err
	}
	c.batchSize.Store(int64(c.conn.settings.queue.NumRequestsToProcess))
	if c.general, err = newOptions(ctx, c.conn.installation); err != nil || c.conn.installation == nil {
		return err
	}
	_, err = c.conn.watch.Options(ctx, c.conn.installation) // notes what they are now
	return err
}

// serve listens until the first signal, and then ends one thing after the other: requests, the writer, workers. The
// second signal ends ctx, and with it the patience with slow clients.
func (c *serveCommand) serve(ctx context.Context) error {
	l, err := receive.Listen(c.listen, fs.FileMode(c.listenMode), c.lookupEnv)
	if err != nil {
		return err
	}
	counts := receive.NewMetrics(c.registry)
	c.writer = receive.NewWriter(receive.WriterOptions{
		Backend: c.queues, Queues: c.conn.settings.queue.NumQueueWorkers, Spool: c.store,
		Timeout: writeTimeout + c.replicaTimeout,
		Log:     c.logs.Logger, Metrics: counts,
	})
	defer c.writer.Close()
	tracking, err := receive.NewHandler(c.handlerOptions(counts))
	if err != nil {
		return errors.Join(err, l.Close())
	}
	handler := tracking.Handle
	if c.accessLog {
		handler = tracking.LogAccess(c.logs.always())
	}
	patience := ctx
	group, ctx := errgroup.WithContext(ctx)
	stop := c.stopOrEnd(ctx)
	if c.metricsListen != "" {
		tell, err := c.metricsServer(c.metricsListen, receive.Health{
			Ready: c.ready, Gatherer: c.registry, Page: c.statusPage(),
		}, c.page)
		if err != nil {
			return errors.Join(err, l.Close())
		}
		group.Go(func() error { return tell(stop) })
	}
	group.Go(func() error { c.refresh(ctx, stop); return nil })
	if c.inside != nil && c.inside.always {
		group.Go(func() error { return c.inside.run(ctx, stop) })
	}
	group.Go(func() error {
		return receive.Serve(patience, l, receive.Health{Ready: c.ready}.Beside(handler), c.limits, c.grace, c.logs.Logger,
			stop)
	})
	fmt.Fprintln(c.out(), "Receiving tracking requests at", l.Addr())
	err = group.Wait()
	c.printTotals(counts.Totals())
	return err
}

// stopOrEnd is closed by the first signal, and when ctx ends because something has failed.
func (c *serveCommand) stopOrEnd(ctx context.Context) <-chan struct{} {
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		select {
		case <-c.stop:
		case <-ctx.Done():
		}
	}()
	return stop
}
