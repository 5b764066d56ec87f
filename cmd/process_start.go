package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

const recordStatisticsOff = "Matomo has tracking switched off (record_statistics = 0 in section [Tracker]): nothing " +
	"is processed, the queue stays as it is."

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

// checkInstallation checks version, plugins and data files, and chooses the engine.
func (c *processCommand) checkInstallation(ctx context.Context) error {
	if err := c.chooseEngine(ctx); err != nil || c.chosen.php != "" {
		return err
	}
	spam, err := c.conn.installation.SpamPrevention(ctx)
	if err != nil {
		return err
	}
	if warning := spam.UnsentMail(); warning != "" {
		c.logs.Warn(warning)
	}
	return nil
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
