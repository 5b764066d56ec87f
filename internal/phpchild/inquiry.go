package phpchild

import (
	"context"
	"encoding/json"
	"fmt"
)

// Statement is one that writes: its text, and what was bound to it as far as it may be the key of a row.
type Statement struct {
	SQL    string
	Values []string
}

// UnmarshalJSON reads [text, values].
func (s *Statement) UnmarshalJSON(text []byte) error {
	both := [2]any{&s.SQL, &s.Values}
	if err := json.Unmarshal(text, &both); err != nil {
		return fmt.Errorf("statement: %w", err)
	}
	return nil
}

// Rows runs a SELECT in the open transaction. Cells are texts, nil for NULL; text that is not UTF-8 is damaged, so ask
// for HEX() of it.
func (c *Child) Rows(ctx context.Context, query string) ([][]*string, error) {
	a, err := c.call(ctx, &request{Op: "rows", SQL: query})
	if err != nil {
		return nil, err
	}
	return a.Table, nil
}

// Watch lets the child note statements that write, from now on. It reports false where it cannot: Matomo's connection
// is not one of PDO.
func (c *Child) Watch(ctx context.Context) (bool, error) {
	a, err := c.call(ctx, &request{Op: "watch"})
	if err != nil {
		return false, err
	}
	return a.Watched, nil
}

// Written are the statements that were noted since it was asked last.
func (c *Child) Written(ctx context.Context) ([]Statement, error) {
	a, err := c.call(ctx, &request{Op: "written"})
	if err != nil {
		return nil, err
	}
	return a.Statements, nil
}

// Uncache takes sites out of Matomo's cache, which other processes share: what was read of them was rolled back.
func (c *Child) Uncache(ctx context.Context, sites []int64) error {
	_, err := c.call(ctx, &request{Op: "uncache", Sites: sites})
	return err
}
