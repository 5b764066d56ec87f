package cmd

import (
	"context"
	"fmt"
	"slices"

	"github.com/queuedtracking/queuedtracking/internal/plugins"
)

// checkPlugins judges the active plugins. PHP is asked anew: this is how one looks whether it can be.
func (c *testCommand) checkPlugins(ctx context.Context) {
	named, _ := c.program.lookupEnv("QUEUEDTRACKING_PHP")
	judged, err := c.conn.judge(ctx, named, true)
	if err != nil {
		c.report.Fail("plugins", err, "")
		return
	}
	c.judged = judged
	how := howJudged(judged)
	if need := judged.NeedPHP(); len(need) > 0 {
		c.throughPHP(ctx, "plugins", fmt.Errorf("%w%s", needPHP(need), how),
			"unless it is given --ignore-plugins: what these plugins do is then missing")
	} else {
		c.report.OK("plugins", fmt.Sprintf("%d active, none that tracks in a way that is not known%s",
			len(judged.Plugins), how))
	}
	for _, v := range judged.Receiving() {
		c.report.Notice("plugin "+v.Name, "takes part in receiving requests: "+v.Receives,
			"serve refuses unless it is given --ignore-plugins; matomo.php receives with it")
	}
}

// throughPHP notes what this program does not know: Matomo's own PHP tracks, if it can. Otherwise process refuses,
// unless a flag lets it pass.
func (c *testCommand) throughPHP(ctx context.Context, name string, unknown error, unless string) {
	if c.conn.installation == nil {
		c.report.Fail(name, unknown, "process refuses "+unless)
		return
	}
	named, _ := c.program.lookupEnv("QUEUEDTRACKING_PHP")
	child, err := c.conn.findPHP(ctx, named)
	if err == nil {
		err = child.End(ctx)
	}
	if err != nil {
		c.report.Fail(name, unknown, fmt.Sprintf("process refuses %s; Matomo's own PHP cannot track: %v", unless, err))
		return
	}
	hello := child.Hello()
	c.report.Notice(name, unknown.Error(), fmt.Sprintf("process tracks through Matomo's own PHP, %s (%s): %s",
		hello.Binary, hello.PHP, phpSpeed))
}

// howJudged tells how those were judged that are not known by name.
func howJudged(judged plugins.Judgement) string {
	switch {
	case judged.AskedPHP:
		return "; PHP was asked: " + judged.PHP
	case slices.ContainsFunc(judged.Plugins, func(v plugins.Verdict) bool { return v.FoundBy == plugins.Read }):
		return "; files were read, PHP was not asked: " + judged.Unasked
	}
	return ""
}

// plugins are what was judged, in JSON.
func (c *testCommand) plugins() []plugins.Verdict {
	return append(append([]plugins.Verdict{}, c.judged.Plugins...), c.judged.Overrides...)
}

// printPlugins prints a table of those that do not belong to Matomo, of all with -v.
func (c *testCommand) printPlugins() error {
	all := c.program.flags.verbose > 0
	var rows [][]string
	for _, v := range c.plugins() {
		if !all && v.Shipped {
			continue
		}
		does := v.Does
		if does == "" {
			does = "nothing"
		}
		rows = append(
			rows,
			[]string{clean(v.Name), clean(v.Version), clean(does), string(v.Tracks), string(v.FoundBy)},
		)
	}
	if len(rows) == 0 {
		return nil
	}
	if all {
		fmt.Fprintln(c.stdout, "\nActive plugins")
	} else {
		fmt.Fprintln(c.stdout, "\nActive plugins beside Matomo's own")
	}
	return c.table(c.stdout, []string{"Plugin", "Version", "In tracking", "Is", "Found by"}, rows)
}
