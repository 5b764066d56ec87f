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

// ForgetCheckpoint deletes the checkpoint of a list: whoever tracks it next begins anew.
func (tx *Tx) ForgetCheckpoint(ctx context.Context, list string) error {
	option := checkpointPrefix + list
	tx.begin("DELETE FROM ", tx.s.table("option"), " WHERE `option_name` = ").text(option)
	if _, err := tx.write(ctx, nil); err != nil {
		return fmt.Errorf("checkpoint of %s: %w", list, err)
	}
	tx.OnCommit(func() { tx.s.replays.Delete(option) })
	return nil
}
