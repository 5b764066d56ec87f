package cmd

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
)

const unlockHelp = `Releases locks of queues by their keys, as lock-status lists them, or by the number of the queue.

Only useful when a worker was killed and its lock shall not be waited for. Releasing the lock of a worker that lives
does no harm to the data: that worker notices, rolls its batch back and goes on with another queue.

--all asks first; where there is no terminal to ask at it wants --yes. Keys and numbers are released without a question.`

const unlockExample = `  queuedtracking unlock QueuedTrackingLock2
  queuedtracking unlock 0 1 2
  queuedtracking unlock --all
  queuedtracking unlock --all --yes         in a script`

// unlockCommand: queuedtracking unlock.
type unlockCommand struct {
	*program
	all, yes bool
	json     bool
}

// unlocked is a lock that was released, or was not held, in JSON.
type unlocked struct {
	Key      string `json:"key"`
	Queue    int    `json:"queue"`
	Released bool   `json:"released"`
}

func newUnlockCommand(p *program) *cobra.Command {
	c := &unlockCommand{program: p}
	command := &cobra.Command{
		Use: "unlock KEY… | --all", Short: "Release locks that killed workers left behind", Long: unlockHelp,
		Example: unlockExample,
		RunE:    c.run, ValidArgsFunction: p.completeLocks,
	}
	command.Flags().BoolVar(&c.all, "all", false, "release the locks of all queues")
	yesFlag(command.Flags(), &c.yes)
	command.Flags().BoolVar(&c.json, "json", false, "print JSON")
	p.withoutDatabaseFlag(command.Flags())
	return command
}

func (c *unlockCommand) run(command *cobra.Command, args []string) error {
	if c.all != (len(args) == 0) {
		return usage("unlock wants either keys or --all")
	}
	keys := make([]string, len(args))
	for i, arg := range args {
		var err error
		if keys[i], err = lockKey(arg); err != nil {
			return err
		}
	}
	ctx := command.Context()
	conn := c.newConnection(command.Flags())
	defer conn.close()
	if err := conn.openQueues(ctx); err != nil {
		return err
	}
	locker := lock.New(conn.backend, rand.Reader)
	if c.all {
		var err error
		if keys, err = c.heldKeys(ctx, locker); err != nil {
			return err
		}
	}
	if c.json {
		return c.printJSON(ctx, locker, keys)
	}
	for _, key := range keys {
		if err := c.release(ctx, locker, key, false); err != nil {
			return err
		}
	}
	return nil
}

// heldKeys are the keys of all locks, if it is meant that they shall be released.
func (c *unlockCommand) heldKeys(ctx context.Context, locker *lock.Locker) (keys []string, err error) {
	held, err := locker.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, h := range held {
		keys = append(keys, h.Key)
	}
	if len(keys) == 0 {
		if !c.json {
			fmt.Fprintln(c.stdout, "No queue is locked.")
		}
		return nil, nil
	}
	question := fmt.Sprintf("Release the locks of %s? Workers that are at work there roll their batches back.",
		terminal.Count(len(keys), "queue"))
	return keys, c.consent(ctx, true, c.yes, question)
}

// printJSON releases the locks and prints what became of each.
func (c *unlockCommand) printJSON(ctx context.Context, locker *lock.Locker, keys []string) error {
	list := make([]unlocked, len(keys))
	for i, key := range keys {
		released, err := locker.Unlock(ctx, key)
		if err != nil {
			return err
		}
		id, _ := lock.QueueID(key)
		list[i] = unlocked{key, id, released}
	}
	return printJSON(c.stdout, list)
}

// lockKey is the key that an argument means: a key or the number of a queue.
func lockKey(arg string) (string, error) {
	if n, err := strconv.Atoi(arg); err == nil && n >= 0 && n < queue.MaxQueues {
		return lock.Key(n), nil
	}
	if _, ok := lock.QueueID(arg); !ok {
		return "", usage("%q is neither the key of a lock (QueuedTrackingLock0 …) nor the number of a queue", arg)
	}
	return arg, nil
}
