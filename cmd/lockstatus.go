package cmd

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/lock"
)

const lockStatusHelp = `Lists the queues that a worker, PHP's or this program's, has locked, and when each lock runs out.

A worker locks a queue before it takes requests from it and releases it afterwards. A lock that a killed worker left
behind runs out by itself, within a minute or two; to release one earlier use --unlock or the command unlock.`

const lockStatusExample = `  queuedtracking lock-status
  queuedtracking lock-status --json
  queuedtracking lock-status --unlock QueuedTrackingLock0`

// lockStatusCommand: queuedtracking lock-status.
type lockStatusCommand struct {
	*program
	unlock string
	json   bool
}

func newLockStatusCommand(p *program) *cobra.Command {
	c := &lockStatusCommand{program: p}
	command := &cobra.Command{
		Use: "lock-status", Short: "List the locked queues", Long: lockStatusHelp, Example: lockStatusExample,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command) },
	}
	flags := command.Flags()
	flags.StringVar(&c.unlock, "unlock", "", "release the lock with this `key` first")
	flags.BoolVar(&c.json, "json", false, "print JSON")
	_ = command.RegisterFlagCompletionFunc("unlock", p.completeLocks)
	p.withoutDatabaseFlag(flags)
	return command
}

// lockStatus is a lock in JSON.
type lockStatus struct {
	Key     string `json:"key"`
	Queue   int    `json:"queue"`
	Expires *int64 `json:"expires_in_ms"` // null: never
}

func (c *lockStatusCommand) run(command *cobra.Command) error {
	ctx := command.Context()
	if c.unlock != "" {
		if _, ok := lock.QueueID(c.unlock); !ok {
			return usage("--unlock %q: no lock has such a key, they are QueuedTrackingLock0, QueuedTrackingLock1 …", c.unlock)
		}
	}
	conn := c.newConnection(command.Flags())
	defer conn.close()
	if err := conn.openQueues(ctx); err != nil {
		return err
	}
	locker := lock.New(conn.backend, rand.Reader)
	if c.unlock != "" {
		if err := c.release(ctx, locker, c.unlock, c.json); err != nil {
			return err
		}
	}
	held, err := locker.List(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(held)
	}
	if len(held) == 0 {
		fmt.Fprintln(c.stdout, "No queue is locked.")
		return nil
	}
	for _, h := range held {
		fmt.Fprintf(c.stdout, "%s: queue %d is locked%s\n", h.Key, h.QueueID, timeLeft(h.Left))
	}
	fmt.Fprint(c.stdout, "\n"+fit("queuedtracking unlock KEY releases a lock whose worker is gone.",
		c.device(c.stdout).Width()))
	return nil
}

func timeLeft(left time.Duration) string {
	if left < 0 {
		return " and would stay so for ever"
	}
	if left < time.Second {
		return " for less than a second"
	}
	return fmt.Sprintf(" for another %d s", int64(math.Ceil(left.Seconds())))
}

func (c *lockStatusCommand) printJSON(held []lock.Held) error {
	list := make([]lockStatus, len(held))
	for i, h := range held {
		list[i] = lockStatus{Key: h.Key, Queue: h.QueueID}
		if h.Left >= 0 {
			ms := h.Left.Milliseconds()
			list[i].Expires = &ms
		}
	}
	return printJSON(c.stdout, list)
}

// release deletes a lock and says so, on stderr when stdout is for JSON.
func (p *program) release(ctx context.Context, locker *lock.Locker, key string, quiet bool) error {
	released, err := locker.Unlock(ctx, key)
	if err != nil {
		return err
	}
	switch {
	case quiet:
		p.logs.Info("unlock", "key", key, "released", released)
	case released:
		fmt.Fprintf(p.stdout, "%s: released\n", key)
	default:
		fmt.Fprintf(p.stdout, "%s: is not locked, or no longer\n", key)
	}
	return nil
}
