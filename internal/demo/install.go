package demo

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite" // the demo's database

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/tables"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// DatabaseFile is the name of the SQLite file in the folder given to Install.
const DatabaseFile = "matomo.sqlite"

// folders maps folders among the demo's files to where they are in a Matomo directory.
var folders = []struct{ from, to string }{
	{"matomo-6/config", "config"},
	{"device-detector/regexes", "vendor/matomo/device-detector/regexes"},
	{"lists", "vendor/matomo"},
}

// Install makes dir, which must be empty, the directory of a Matomo 6.0 with a database beside it, from the demo's
// files (folder testdata).
func Install(ctx context.Context, files fs.FS, dir string) (*matomo.Config, *sqlx.DB, error) {
	for _, f := range folders {
		if err := CopyFolder(files, f.from, filepath.Join(dir, filepath.FromSlash(f.to))); err != nil {
			return nil, nil, fmt.Errorf("demo files: %w", err)
		}
	}
	config, err := matomo.LoadConfig(dir)
	if err != nil {
		return nil, nil, err
	}
	db, err := store.OpenSQLite(filepath.Join(dir, DatabaseFile))
	if err != nil {
		return nil, nil, err
	}
	if err := fill(ctx, files, db, config.Database().Prefix); err != nil {
		_ = db.Close()
		return nil, nil, fmt.Errorf("demo database: %w", err)
	}
	return config, db, nil
}

// CopyFolder copies a folder among files to the path to, which is created.
func CopyFolder(files fs.FS, from, to string) error {
	return fs.WalkDir(files, from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, filepath.FromSlash(strings.TrimPrefix(name, from)))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755) // as Matomo's own folders
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644) // as Matomo's own files
	})
}

// versions are those of Matomo and of plugin QueuedTracking, instead of what matomo/rows.sql says.
var versions = map[string]string{"version_core": "6.0.0", "version_QueuedTracking": "6.0.1"}

// fill creates the tables and the rows of matomo/rows.sql.
func fill(ctx context.Context, files fs.FS, db *sqlx.DB, prefix string) error {
	if err := tables.Create(ctx, db, prefix); err != nil {
		return err
	}
	if err := tables.Upgrade(ctx, db, prefix); err != nil {
		return err
	}
	rows, err := fs.ReadFile(files, path.Join("matomo", "rows.sql"))
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, string(rows)); err != nil {
		return err
	}
	for option, version := range versions {
		if _, err := db.ExecContext(ctx, "UPDATE "+prefix+"option SET option_value = ? WHERE option_name = ?", version,
			option); err != nil {
			return err
		}
	}
	return nil
}
