package cmd

import (
	"context"
	"fmt"
	"time"
)

const refreshInterval = time.Minute

// refresh reads again what may change while requests are received, every minute and when SIGHUP asks for it, until stop
// is closed. While the database is away the last settings hold.
func (c *serveCommand) refresh(ctx context.Context, stop <-chan struct{}) {
	ticker := time.NewTicker(refreshInterval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-c.reload:
			fmt.Fprintln(c.out(), "SIGHUP: settings are read again.")
		case <-ticker.C:
		}
		if err := c.readAgain(ctx); err != nil && ctx.Err() == nil {
			c.logs.Warn("settings cannot be read again, the last ones hold", "error", err)
		}
	}
}

// readAgain reads Matomo's options and the plugin's settings. What counts from the start only is named, once.
func (c *serveCommand) readAgain(ctx context.Context) error {
	if c.conn.watch != nil {
		if file := c.conn.watch.Files(); file != "" {
			c.wantsRestart(file + " has changed")
		}
	}
	if c.conn.installation == nil {
		return nil
	}
	option, err := c.conn.watch.Options(ctx, c.conn.installation)
	if err != nil {
		return err
	}
	if option != "" {
		c.wantsRestart("Matomo's option " + option + " has changed")
	}
	c.conn.installation.Renew()
	if err := c.general.read(ctx); err != nil {
		return err
	}
	fresh, err := c.conn.freshSettings(ctx)
	if err != nil {
		return err
	}
	if !fresh.queue.SamePlace(c.conn.settings.queue) {
		c.wantsRestart("settings of plugin QueuedTracking: the queues are elsewhere now")
		return nil
	}
	c.conn.queues.Store(int64(fresh.queue.NumQueueWorkers))
	c.batchSize.Store(int64(fresh.queue.NumRequestsToProcess))
	return nil
}

func (c *serveCommand) wantsRestart(reason string) {
	if c.told[reason] {
		return
	}
	if c.told == nil {
		c.told = make(map[string]bool)
	}
	c.told[reason] = true
	c.logs.Warn("restart serve: this counts from the start only", "reason", reason)
}
