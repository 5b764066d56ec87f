package phpchild_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
)

// Statements of whoever uses Matomo's connection are noted, with what may be a key; those that read are not.
func TestStatementsThatWriteAreNoted(t *testing.T) {
	dir, db := miniature(t)
	c := start(t, dir)
	ctx := t.Context()
	if watched, err := c.Watch(ctx); err != nil || !watched {
		t.Fatalf("watched %v, error %v", watched, err)
	}
	if _, err := c.Begin(ctx, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Written(ctx); err != nil { // what Begin does
		t.Fatal(err)
	}
	if _, err := c.Exec(ctx, "INSERT INTO matomo_option (option_name, option_value, autoload) VALUES (?, ?, 1)",
		"näme", strings.Repeat("é", 200)); err != nil {
		t.Fatal(err)
	}
	rows, err := c.Rows(ctx, "SELECT option_name, HEX(LEFT(option_value, 1)), autoload, NULL "+
		"FROM matomo_option WHERE autoload = 1")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := asJSON(t, rows), `[["näme","C3A9","1",null]]`; got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	statements, err := c.Written(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := []phpchild.Statement{{
		SQL:    "INSERT INTO matomo_option (option_name, option_value, autoload) VALUES (?, ?, 1)",
		Values: []string{"näme"},
	}}
	if asJSON(t, statements) != asJSON(t, want) {
		t.Errorf("noted %+v, want %+v", statements, want)
	}
	if statements, err = c.Written(ctx); err != nil || len(statements) != 0 {
		t.Errorf("noted again: %+v, %v", statements, err)
	}
	if err := c.Uncache(ctx, []int64{1}); err != nil {
		t.Error(err)
	}
	if err := c.Rollback(ctx); err != nil {
		t.Error(err)
	}
	var left int
	if err := db.Get(&left, "SELECT COUNT(*) FROM matomo_option"); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
