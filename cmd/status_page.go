package cmd

import (
	"errors"
	"net"

	"github.com/queuedtracking/queuedtracking/internal/statuspage"
)

// pageFlag is the value of --status-page: whether / at --metrics-listen answers with the page for people.
type pageFlag string

const (
	pageAuto pageFlag = "auto" // where only this machine can see it
	pageOn   pageFlag = "on"
	pageOff  pageFlag = "off"
)

const pageUsage = "a page for people at / of --metrics-listen: on, off, or auto, `when` only this machine reaches it"

func (f *pageFlag) String() string { return string(*f) }

func (f *pageFlag) Type() string { return "when" }

func (f *pageFlag) Set(text string) error {
	switch when := pageFlag(text); when {
	case pageAuto, pageOn, pageOff:
		*f = when
		return nil
	}
	return errors.New("wants on, off or auto")
}

// at reports whether there is a page at an address.
func (f pageFlag) at(a net.Addr) bool { return f == pageOn || f == pageAuto && statuspage.IsLocal(a) }


// statusPage makes the page. engine is empty for a process that tracks nothing.
func (c *connection) statusPage(command, engine string, spool func() (entries, bytes int64)) *statuspage.Page {
	matomo := ""
	if c.installation != nil {
		matomo = c.installation.Version()
	}
	return statuspage.New(statuspage.Options{
		Command: command, Version: versionName(), Matomo: matomo, Engine: engine, Clock: c.program.clock,
		Look: c.queueMetrics().Look, History: c.backend, Spool: spool,
	})
}
