package cmd

import (
	"fmt"
	"strings"
)

// checkReception refuses to receive where an active plugin would have a say in it that is not known here. What
// plugins do when requests are tracked is not its business.
func (c *serveCommand) checkReception() error {
	foreign, err := c.conn.config.ForeignReceptionPlugins()
	if err != nil {
		return err
	}
	if len(foreign) > 0 && !c.ignorePlugins {
		names := make([]string, len(foreign))
		for i, f := range foreign {
			names[i] = fmt.Sprintf("%s (%s)", f.Name, f.Reason)
		}
		return fmt.Errorf("active plugins take part in receiving requests and are not known here: %s: "+
			"let matomo.php receive, or receive with --ignore-plugins all the same, without what they do",
			strings.Join(names, ", "))
	}
	for _, f := range foreign {
		c.logs.Warn("plugin ignored", "plugin", f.Name, "reason", f.Reason)
	}
	return nil
}
