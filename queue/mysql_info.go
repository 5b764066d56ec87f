package queue

import (
	"context"
	"strings"
)

// Info implements Backend. The server's memory is not the queue's, so nothing is told about it.
func (m *MySQL) Info(ctx context.Context) (Info, error) {
	info := Info{
		Server: "mysql", Mode: "database", Role: "master", MemoryUsed: Unknown, MemoryPeak: Unknown,
		MemoryLimit: Unknown,
	}
	err := m.call(ctx, "select", nil, func(ctx context.Context) error {
		var row struct {
			Version  string `db:"version"`
			ReadOnly bool   `db:"readonly"`
		}
		if err := m.db.GetContext(ctx, &row, "SELECT VERSION() AS version, @@global.read_only AS readonly"); err != nil {
			return err
		}
		info.Version = row.Version
		if version, _, ok := strings.Cut(row.Version, "-MariaDB"); ok {
			info.Server, info.Version = "mariadb", version
		}
		if row.ReadOnly {
			info.Role = "replica"
		}
		return nil
	})
	return info, err
}
