// Package tables creates the tables of Matomo that tracking reads or writes, in MySQL, MariaDB or SQLite: for the demo
// and for tests. It is the one place that describes them.
package tables

import (
	"context"
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"github.com/jmoiron/sqlx"
)

var (
	//go:embed matomo_5.sql
	five string
	//go:embed matomo_6.sql
	six string
)

// Create creates the tables of Matomo 5.1, with five custom dimensions and five custom variables in each log table. The
// tables are empty; none of them may be there.
func Create(ctx context.Context, db sqlx.ExtContext, prefix string) error {
	return run(ctx, db, prefix, five)
}

// Upgrade turns the tables of Create into those of Matomo 6.0.
func Upgrade(ctx context.Context, db sqlx.ExtContext, prefix string) error {
	return run(ctx, db, prefix, six)
}

var validPrefix = regexp.MustCompile(`^[A-Za-z0-9_$]*$`)

func run(ctx context.Context, db sqlx.ExtContext, prefix, script string) error {
	if !validPrefix.MatchString(prefix) {
		return fmt.Errorf("table prefix %q: only letters, digits, _ and $ are possible", prefix)
	}
	translated := mysql
	if strings.HasPrefix(db.DriverName(), "sqlite") {
		translated = sqlite
	}
	_, script, _ = strings.Cut(script, "\n\n") // behind the comment
	for statement := range strings.SplitSeq(strings.ReplaceAll(script, "{prefix}", prefix), ";\n") {
		for _, part := range translated(strings.TrimSpace(statement)) {
			if _, err := db.ExecContext(ctx, part); err != nil {
				first, _, _ := strings.Cut(part, "\n")
				return fmt.Errorf("%s: %w", strings.TrimSuffix(first, " ("), err)
			}
		}
	}
	return nil
}

// mysql gives a statement the properties that Matomo's tables have, whatever the database's own.
func mysql(statement string) []string {
	switch {
	case statement == "":
		return nil
	case strings.HasPrefix(statement, "CREATE TABLE"):
		statement += " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci ROW_FORMAT=DYNAMIC"
	}
	return []string{statement}
}
