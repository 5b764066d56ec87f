package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/metrics"
	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/internal/plugins"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/replay/phpengine"
)

// engineFlag is the value of --engine.
type engineFlag string

// What it may be.
const (
	autoEngine   engineFlag = "auto" // the native one, unless something is there that only PHP can track
	nativeEngine engineFlag = "native"
	phpEngine    engineFlag = "php"
)

func (f *engineFlag) String() string { return string(*f) }

func (f *engineFlag) Type() string { return "name" }

func (f *engineFlag) Set(text string) error {
	switch engineFlag(text) {
	case autoEngine, nativeEngine, phpEngine:
		*f = engineFlag(text)
		return nil
	}
	return errors.New("wants auto, native or php")
}

// chosenEngine is what tracks in a run.
type chosenEngine struct {
	php   string          // the binary; "": this program itself
	why   error           // nil: because it was asked for
	first *phpchild.Child // the one that has shown that PHP can track, until an engine has it

	mu      sync.Mutex
	engines []*phpengine.Engine
}

// Name is "native" or "php".
func (e *chosenEngine) Name() string {
	if e.php == "" {
		return string(nativeEngine)
	}
	return string(phpEngine)
}

// chooseEngine decides what tracks. An error says what is there that this program does not know, and what can be done.
func (c *processCommand) chooseEngine(ctx context.Context) error {
	if c.engine == phpEngine {
		return c.findPHP(ctx, nil, "")
	}
	judgement, err := c.conn.judge(ctx, c.php, false)
	if err != nil {
		return err
	}
	unknown := c.unknown(judgement)
	if unknown == nil {
		return c.warnOfWhatIsIgnored(judgement)
	}
	if c.engine == nativeEngine {
		return fmt.Errorf("%w; --engine php tracks with it, through Matomo's own PHP", unknown)
	}
	asked := ""
	if judgement.AskedPHP {
		asked = judgement.PHPBinary
	}
	return c.findPHP(ctx, unknown, asked)
}

// unknown is what keeps the native engine from tracking as Matomo would, nil for nothing.
func (c *processCommand) unknown(judgement plugins.Judgement) error {
	if _, err := matomo.CheckVersion(c.conn.installation.Version(), c.forceVersion); err != nil {
		return err
	}
	if need := judgement.NeedPHP(); len(need) > 0 && !c.ignorePlugins {
		return fmt.Errorf("%w (--ignore-plugins tracks without what they do)", needPHP(need))
	}
	return c.checkVendor()
}

// warnOfWhatIsIgnored names what flags let pass.
func (c *processCommand) warnOfWhatIsIgnored(judgement plugins.Judgement) error {
	if warning, err := matomo.CheckVersion(c.conn.installation.Version(), c.forceVersion); err != nil {
		return err
	} else if warning != "" {
		c.logs.Warn(warning)
	}
	for _, v := range judgement.NeedPHP() {
		c.logs.Warn("plugin ignored", "plugin", v.Name, "reason", v.Does)
	}
	return nil
}

// findPHP makes Matomo's own PHP the engine, because of why or because it was asked for. A binary that has answered for
// this installation is not tried again.
func (c *processCommand) findPHP(ctx context.Context, why error, asked string) error {
	c.chosen.php, c.chosen.why = asked, why
	if asked != "" && c.php == "" && c.conn.sameDatabase() {
		return nil
	}
	child, err := c.conn.findPHP(ctx, c.php)
	switch {
	case err != nil && why != nil:
		return fmt.Errorf("%w, and Matomo's own PHP cannot track either: %w", why, err)
	case err != nil:
		return err
	}
	child.LogTo(c.logs.Logger)
	c.chosen.php, c.chosen.first = child.Hello().Binary, child
	return nil
}

// close ends the child that no engine has taken.
func (e *chosenEngine) close() {
	if e.first != nil {
		e.first.Kill()
		e.first.Wait()
	}
}

// errOtherDatabase says that PHP would not track where this program does.
var errOtherDatabase = errors.New("it tracks into the database of config.ini.php alone, and flags or variables name " +
	"another one here: put it into section [database]")

// sameDatabase reports whether the database is the one that Matomo's own PHP uses.
func (c *connection) sameDatabase() bool { return c.configured.SamePlace(c.settings.database) }

// findPHP starts a PHP that can track for this installation: named, or any that is there.
func (c *connection) findPHP(ctx context.Context, named string) (*phpchild.Child, error) {
	if !c.sameDatabase() {
		return nil, errOtherDatabase
	}
	log := c.program.logs.Logger
	o := c.phpOptions(slog.New(slog.DiscardHandler)) // what is wrong is in the error
	child, unfit, err := phpchild.Find(ctx, o, phpchild.Wanted{
		Binary: named, Configured: c.config.String("General", "php_binary_path"), Matomo: c.installation.Version(),
	})
	if err != nil {
		return nil, err
	}
	for _, reason := range unfit {
		log.Info("PHP not taken", "reason", reason)
	}
	return child, nil
}

func (c *connection) phpOptions(log *slog.Logger) phpchild.Options {
	return phpchild.Options{Dir: c.config.Dir(), Host: c.config.Host(), Log: log}
}

// phpSpeed is what PHP tracks on a usual machine (docs/plugins.md).
const phpSpeed = "about 300 requests a second and worker, a tenth or less of what this program does by itself"

// tellEngine says in one line who tracks if it is PHP, why, and what it costs.
func (c *processCommand) tellEngine() {
	if c.chosen.php == "" {
		return
	}
	why := "as --engine php asks for"
	if c.chosen.why != nil {
		why = "because of what this program does not know: " + printable(c.chosen.why)
	}
	fmt.Fprintf(c.out(), "Matomo's own PHP (%s) tracks, %s. It is slower: %s.\n", clean(c.chosen.php), why, phpSpeed)
}

// newEngines makes an engine for each worker. They stay the same over all cycles: a worker has memories, as a PHP
// process has. close ends them.
func (c *processCommand) newEngines() (engines []replay.Engine, close func()) {
	for range c.workers {
		if c.chosen.php == "" {
			engines = append(engines, c.assembly.NewEngine())
			continue
		}
		o := c.conn.phpOptions(c.logs.Logger)
		engine := phpengine.New(phpengine.Options{
			Dir: o.Dir, Host: o.Host, Binary: c.chosen.php, DB: c.conn.db, Store: c.assembly.Store(), Log: o.Log,
			First: c.chosen.first,
		})
		c.chosen.first = nil
		c.chosen.add(engine)
		engines = append(engines, engine)
	}
	return engines, func() {
		for _, engine := range engines {
			if err := engine.Close(); err != nil {
				c.logs.Warn("engine not ended in order", "error", err)
			}
		}
	}
}

func (e *chosenEngine) add(engine *phpengine.Engine) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.engines = append(e.engines, engine)
}

// counters are for Prometheus; nil where no PHP is.
func (e *chosenEngine) counters() func() metrics.PHP {
	if e.php == "" {
		return nil
	}
	return func() metrics.PHP {
		s := e.stats()
		return metrics.PHP{Started: s.Started, Deaths: s.Deaths, Leaked: s.Leaked, Seconds: s.Processor.Seconds()}
	}
}

// stats are those of PHP's children, of all workers. It is for several goroutines.
func (e *chosenEngine) stats() (total phpengine.Stats) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, engine := range e.engines {
		s := engine.Stats()
		total.Started += s.Started
		total.Deaths += s.Deaths
		total.Leaked += s.Leaked
		total.Processor += s.Processor
	}
	return total
}

// printEngine tells in the summary who tracked.
func (c *processCommand) printEngine() {
	if c.chosen.php == "" {
		return
	}
	s := c.chosen.stats()
	parts := []string{fmt.Sprintf("%.1f s of processor time", s.Processor.Seconds())}
	if s.Deaths > 0 {
		parts = append(parts, fmt.Sprintf("died %d times", s.Deaths))
	}
	if s.Leaked > 0 {
		parts = append(parts, fmt.Sprintf("a plugin has ended its transaction %d times: a crash at that moment would "+
			"have tracked a batch again", s.Leaked))
	}
	fmt.Fprintf(c.out(), "Tracked by Matomo's own PHP: %s\n", strings.Join(parts, ", "))
}
