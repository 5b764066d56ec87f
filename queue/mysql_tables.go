package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	listTable   = "queuedtracking_list_"
	failedTable = "queuedtracking_failed_"
	keyTable    = "queuedtracking_queue"

	maxTableName = 64 // characters that the server allows
	maxKey       = 70 // characters of column queue_key
)

// table is the quoted name of the table of a list.
func (m *MySQL) table(list string) string { return quoteName(m.tableName(list)) }

// tableName is the plugin's rule for its queues. Lists of our own would get names that are too long: dead letters have
// a shorter beginning.
func (m *MySQL) tableName(list string) string {
	name := m.prefix + listTable + list
	if failed, ok := strings.CutPrefix(list, "queuedtracking:failed:{"); ok {
		name = m.prefix + failedTable + strings.TrimSuffix(failed, "}")
	}
	return shortened(name, maxTableName)
}

// shortened makes a name fit: its end gives way to a digest. No name of the plugin's is that long.
func shortened(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	digest := sha256.Sum256([]byte(name))
	end := "_" + hex.EncodeToString(digest[:6])
	return name[:limit-len(end)] + end
}

func (m *MySQL) keys() string { return quoteName(m.prefix + keyTable) }

func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// createList makes the table of a list as the plugin does.
func (m *MySQL) createList(list string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := m.db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+m.table(list)+` (
			idqueuelist BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
			list_value LONGBLOB NOT NULL,
			PRIMARY KEY (idqueuelist)) ENGINE=InnoDB DEFAULT CHARSET=utf8`)
		return err
	}
}

// createKeys makes the table of keys, which the plugin does when it is installed.
func (m *MySQL) createKeys(ctx context.Context) error {
	_, err := m.db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+m.keys()+` (
		queue_key VARCHAR(70) NOT NULL,
		queue_value VARCHAR(255) NULL DEFAULT NULL,
		expiry_time BIGINT UNSIGNED DEFAULT 9999999999,
		PRIMARY KEY (queue_key)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`)
	return err
}

// createBoth makes whatever is missing for lists and keys.
func (m *MySQL) createBoth(lists ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, list := range lists {
			if err := m.createList(list)(ctx); err != nil {
				return err
			}
		}
		return m.createKeys(ctx)
	}
}

// isMissing reports whether err is about the missing table of the list.
func (m *MySQL) isMissing(err error, list string) bool {
	return isMissingTable(err) && strings.Contains(strings.ToLower(err.Error()), strings.ToLower(m.tableName(list)))
}

// existing tells which of the lists have a table.
func (m *MySQL) existing(ctx context.Context, lists []string) ([]string, error) {
	var names []string
	err := m.db.SelectContext(ctx, &names, `SELECT TABLE_NAME FROM information_schema.TABLES
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE ?`, likePrefix(m.prefix+"queuedtracking_"))
	if err != nil {
		return nil, err
	}
	exists := make(map[string]bool, len(names))
	for _, name := range names {
		exists[strings.ToLower(name)] = true // with lower_case_table_names=1 that is all the server knows
	}
	var found []string
	for _, list := range lists {
		if exists[strings.ToLower(m.tableName(list))] {
			found = append(found, list)
		}
	}
	return found, nil
}

// likePrefix is the LIKE pattern of texts that begin with prefix.
func likePrefix(prefix string) string {
	return strings.NewReplacer(`\`, `\\`, `_`, `\_`, `%`, `\%`).Replace(prefix) + "%"
}
