package store

import (
	"context"
	"fmt"
	"strings"
)

// CheckpointOption is the name of the option that holds the checkpoint of a list.
func CheckpointOption(list string) string { return checkpointPrefix + list }

// Checkpoints returns the lists that have a checkpoint.
func (tx *Tx) Checkpoints(ctx context.Context) (lists []string, err error) {
	names, err := tx.OptionNames(ctx, checkpointPrefix+"%")
	if err != nil {
		return nil, fmt.Errorf("checkpoints: %w", err)
	}
	for _, name := range names {
		lists = append(lists, strings.TrimPrefix(name, checkpointPrefix))
	}
	return lists, nil
}

// ForgetCheckpoint deletes the checkpoint of a list: whoever tracks it next begins anew.
func (tx *Tx) ForgetCheckpoint(ctx context.Context, list string) error {
	tx.begin("DELETE FROM ", tx.s.table("option"), " WHERE `option_name` = ").text(CheckpointOption(list))
	if _, err := tx.write(ctx, nil); err != nil {
		return fmt.Errorf("checkpoint of %s: %w", list, err)
	}
	tx.OnCommit(func() { tx.s.replays.Delete(CheckpointOption(list)) })
	return nil
}
