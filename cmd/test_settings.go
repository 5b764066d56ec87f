package cmd

import "strings"

// checkSettings tells which settings do not come from the files, and which ones of the files are of no use.
func (c *testCommand) checkSettings() {
	if names := append(c.conn.config.Variables(), c.conn.program.ownVariables()...); len(names) > 0 {
		c.report.OK("environment", "has settings: "+strings.Join(names, ", "))
	}
	for _, name := range c.conn.config.Idle() {
		c.report.Notice(name, "has no effect: Matomo replaces only settings that a file has",
			"add the setting, with an empty value, to section [QueuedTracking] of "+c.conn.config.LocalFile())
	}
	for _, m := range c.conn.config.Misfits() {
		c.report.Notice(m.Setting, m.Problem, m.Advice)
	}
}

// ownVariables are the names of the variables and credentials of this program's own that have settings.
func (p *program) ownVariables() (names []string) {
	isSet := func(name string) bool { value, ok := p.lookupEnv(name); return ok && value != "" }
	for _, o := range newOverrides().all() {
		switch secret, err := p.secret(o); {
		case isSet(o.variable()):
			names = append(names, o.variable())
		case o.isSecret() && isSet(o.fileVariable()):
			names = append(names, o.fileVariable())
		case err != nil || secret.origin != "":
			names = append(names, o.credential())
		}
	}
	return names
}
