package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/plugins"
)

// judge judges the active plugins, by asking PHP where it is there: the binary that php names, "" for any; fresh:
// whatever is kept of an earlier answer.
func (c *connection) judge(ctx context.Context, php string, fresh bool) (plugins.Judgement, error) {
	lookupEnv := c.program.lookupEnv
	path, _ := lookupEnv("PATH")
	return plugins.Judge(ctx, c.config, plugins.Options{
		FindPHP: plugins.FindPHP(c.config, php, path), Search: php + "\n" + path,
		Keep: plugins.KeepIn(c.config, lookupEnv), Fresh: fresh, Release: versionName(), Clock: c.program.clock,
	})
}

// needPHP is the error that names what only Matomo's PHP can track.
func needPHP(verdicts []plugins.Verdict) error {
	names := make([]string, len(verdicts))
	for i, v := range verdicts {
		names[i] = fmt.Sprintf("%s (%s)", v.Name, v.Does)
	}
	return fmt.Errorf("active plugins take part in tracking and are not known here: %s", strings.Join(names, ", "))
}
