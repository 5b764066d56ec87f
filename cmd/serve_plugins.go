package cmd

import (
	"context"
	"fmt"
	"strings"
)

// checkReception refuses to receive where an active plugin would have a say in it that is not known here. What
// plugins do when requests are tracked is not its business.
func (c *serveCommand) checkReception(ctx context.Context) error {
	named, _ := c.lookupEnv("QUEUEDTRACKING_PHP")
	judgement, err := c.conn.judge(ctx, named, false)
	if err != nil {
		return err
	}
	acting := judgement.Receiving()
	if len(acting) > 0 && !c.ignorePlugins {
		names := make([]string, len(acting))
		for i, v := range acting {
			names[i] = fmt.Sprintf("%s (%s)", v.Name, v.Receives)
		}
		return fmt.Errorf("active plugins take part in receiving requests and are not known here: %s: "+
			"let matomo.php receive, or receive with --ignore-plugins all the same, without what they do",
			strings.Join(names, ", "))
	}
	for _, v := range acting {
		c.logs.Warn("plugin ignored", "plugin", v.Name, "reason", v.Receives)
	}
	return nil
}
