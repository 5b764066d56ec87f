package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker"
)

const recordStatisticsOff = "Matomo has tracking switched off (record_statistics = 0 in section [Tracker]): nothing is processed, the queue stays as it is."

// prepare opens everything and refuses to process where rows would come out wrong. Nothing is taken from a queue
// before it is done.
func (c *processCommand) prepare(ctx context.Context) error {
	if err := c.conn.openConfig(); err != nil {
		return err
	}
	if err := c.conn.openDatabase(ctx); err != nil {
		return err
	}
	if err := c.checkInstallation(ctx); err != nil {
		return err
	}
	if err := c.conn.readSettings(ctx); err != nil {
		return err
	}
	if workers := c.conn.settings.queue.NumQueueWorkers; c.queueID.set && c.queueID.value >= workers {
		return usage("--queue-id %d: the number of queues is %d, counted from 0", c.queueID.value, workers)
	}
	return c.conn.openQueue(ctx, c.workers+2)
}

// checkInstallation checks version, plugins, regular expressions and data files.
func (c *processCommand) checkInstallation(ctx context.Context) error {
	warning, err := matomo.CheckVersion(c.conn.installation.Version(), c.forceVersion)
	if err != nil {
		return err
	}
	if warning != "" {
		c.logs.Warn(warning)
	}
	foreign, err := c.conn.config.ForeignTrackerPlugins()
	if err != nil {
		return err
	}
	if len(foreign) > 0 && !c.ignorePlugins {
		return fmt.Errorf("%w: --ignore-plugins processes all the same, without what they do", foreignError(foreign))
	}
	for _, f := range foreign {
		c.logs.Warn("plugin ignored", "plugin", f.Name, "reason", f.Reason)
	}
	if err := c.checkPatterns(ctx); err != nil {
		return err
	}
	spam, err := c.conn.installation.SpamPrevention(ctx)
	if err != nil {
		return err
	}
	if warning := spam.UnsentMail(); warning != "" {
		c.logs.Warn(warning)
	}
	return c.checkVendor()
}

// checkPatterns refuses regular expressions that would match nothing here.
func (c *processCommand) checkPatterns(ctx context.Context) error {
	found, err := c.conn.unsupportedPatterns(ctx)
	if err != nil {
		return err
	}
	if len(found) > 0 && !c.ignorePatterns {
		return fmt.Errorf("%w: --ignore-patterns processes all the same, as if they matched nothing", patternsError(found))
	}
	for _, pattern := range found {
		c.logs.Warn("regular expression not known here, it matches nothing", "pattern", pattern)
	}
	return nil
}

func patternsError(found []string) error {
	return fmt.Errorf("regular expressions with features of PCRE that are not known here: %s", strings.Join(found, "; "))
}

// unsupportedPatterns names regular expressions with their sites.
func (c *connection) unsupportedPatterns(ctx context.Context) (found []string, err error) {
	sites, err := c.installation.SitesWithRarePatterns(ctx)
	for _, site := range sites {
		for _, pattern := range tracker.UnsupportedPatterns(site) {
			found = append(found, fmt.Sprintf("site %d, %s", site.ID, pattern))
		}
	}
	return found, err
}

func foreignError(foreign []matomo.Foreign) error {
	names := make([]string, len(foreign))
	for i, f := range foreign {
		names[i] = fmt.Sprintf("%s (%s)", f.Name, f.Reason)
	}
	return fmt.Errorf("active plugins take part in tracking and are not known here: %s", strings.Join(names, ", "))
}

// checkVendor insists on Matomo's data files; those for devices can be done without.
func (c *processCommand) checkVendor() error {
	err := c.conn.config.Vendor().Check()
	var missing *matomo.VendorDataError
	if !errors.As(err, &missing) {
		return err
	}
	onlyDevices := true
	for _, m := range missing.Missing {
		onlyDevices = onlyDevices && m.Devices
	}
	switch {
	case !onlyDevices:
		return err
	case !c.withoutDevices:
		return fmt.Errorf("%w: --without-device-detection processes all the same, with all devices unknown", err)
	}
	return nil
}

func isUsage(err error) bool {
	var exit *exitError
	return errors.As(err, &exit) && exit.usage
}
