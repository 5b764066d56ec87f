package store

import (
	"context"
	"fmt"
	"strings"
)

// Checkpoints returns the options that hold checkpoints, with the list of each.
func (tx *Tx) Checkpoints(ctx context.Context) (lists map[string]string, err error) {
	names, err := tx.OptionNames(ctx, checkpointPrefix+"%")
	if err != nil {
		return nil, fmt.Errorf("checkpoints: %w", err)
	}
	lists = make(map[string]string, len(names))
	for _, name := range names {
		lists[name] = strings.TrimPrefix(name, checkpointPrefix)
	}
	return lists, nil
}

// trialPrefix begins the options that mark transactions of Matomo's PHP of which nothing is to stay (package phpchild).
const trialPrefix = "QueuedTracking.trial."

// Trials returns the options of trials that have stayed: a plugin had ended the transaction, then the worker was
// killed. Those of trials under way are not seen.
func (tx *Tx) Trials(ctx context.Context) ([]string, error) {
	names, err := tx.OptionNames(ctx, trialPrefix+"%")
	if err != nil {
		return nil, fmt.Errorf("trials: %w", err)
	}
	return names, nil
}

// DeleteOption deletes an option: a trial, or a checkpoint, after which whoever tracks that list next begins anew.
func (tx *Tx) DeleteOption(ctx context.Context, option string) error {
	tx.begin("DELETE FROM ", tx.s.table("option"), " WHERE `option_name` = ").text(option)
	if _, err := tx.write(ctx, nil); err != nil {
		return fmt.Errorf("option %s: %w", option, err)
	}
	tx.OnCommit(func() { tx.s.replays.Delete(option) })
	return nil
}
