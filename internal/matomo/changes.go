package matomo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A Watch notices that what was looked at only once has changed: files of the Matomo directory, and options that name
// versions or hold lists. It is for one goroutine.
type Watch struct {
	source  Source
	file    string // the local configuration file
	files   map[string]stamp
	options map[string]watchedOption // nil until they were read
}

// stamp is a file as it was seen; the zero stamp is one that is not there.
type stamp struct {
	size     int64
	modified time.Time
	sum      [sha256.Size]byte // zero for files that are too large to be read often
}

// watchedFiles are the files that a run reads at its beginning, beside the local configuration file.
var watchedFiles = []string{
	"config/global.ini.php", "config/common.config.ini.php", "config/config.php", "bootstrap.php", "core/Version.php",
	"plugins/QueuedTracking/plugin.json", "plugins/Provider/plugin.json", "plugins/TrackingSpamPrevention/plugin.json",
	"plugins/Bandwidth/plugin.json", "plugins/MarketingCampaignsReporting/plugin.json",
	"plugins/EnvironmentVariables/config/config.php",
}

// watchedOptions are those of versions, and those that decide what is loaded when a run begins.
var watchedOptions = []string{
	"version_core", "version_QueuedTracking", "version_Provider", "version_TrackingSpamPrevention",
	"version_Bandwidth", "version_MarketingCampaignsReporting",
	"usercountry.location_provider", "SearchEngineDefinitions", "SocialDefinitions", "AIAssistantDefinitions",
}

// watchedOption is an option's value; of a long one, which is a list that Matomo renews now and then, only the length.
type watchedOption struct {
	Name   string `db:"option_name"`
	Length int64  `db:"length"`
	Value  string `db:"value"`
}

// NewWatch remembers the files as they are. It is made before the configuration is loaded: what changes in between is
// then noticed later.
func (s Source) NewWatch() *Watch {
	w := &Watch{source: s, file: localFile(s.Dir, s.Host), files: make(map[string]stamp)}
	for _, name := range w.names() {
		w.files[name] = w.look(name)
	}
	return w
}

// names are the files that there may be. Databases of locations are renewed by Matomo every month.
func (w *Watch) names() []string {
	names := append(slices.Clone(watchedFiles), filepath.ToSlash(localFile(w.source.Dir, w.source.Host)))
	databases, _ := filepath.Glob(filepath.Join(globEscape(w.source.Dir), "misc", "*.mmdb"))
	for _, file := range databases {
		names = append(names, "misc/"+filepath.Base(file))
	}
	return names
}

func (w *Watch) path(name string) string {
	return filepath.Join(w.source.Dir, filepath.FromSlash(name))
}

// maxSummed is the size up to which it is what a file holds that counts, not when it was written.
const maxSummed = 1 << 20

func (w *Watch) look(name string) stamp {
	info, err := os.Stat(w.path(name))
	if err != nil || info.IsDir() {
		return stamp{}
	}
	s := stamp{size: info.Size(), modified: info.ModTime()}
	if s.size <= maxSummed {
		text, err := os.ReadFile(w.path(name))
		if err != nil {
			return stamp{}
		}
		s.sum = sha256.Sum256(text)
	}
	return s
}

// Files names a file that is not as it was, "" when all are. A file that was written again with the same text is.
func (w *Watch) Files() string {
	seen := make(map[string]bool)
	for _, name := range w.names() {
		seen[name] = true
		before := w.files[name]
		if info, err := os.Stat(w.path(name)); err == nil && info.Size() == before.size &&
			info.ModTime().Equal(before.modified) {
			continue
		}
		now := w.look(name)
		if now.size != before.size || !bytes.Equal(now.sum[:], before.sum[:]) || now.sum == [sha256.Size]byte{} &&
			!now.modified.Equal(before.modified) {
			return name
		}
		w.files[name] = now
	}
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		if !seen[name] {
			return name
		}
	}
	return ""
}

// Options names an option that is not as it was when this was first called, "" when all are: one query. Changed is
// also a version other than the installation was opened with.
func (w *Watch) Options(ctx context.Context, i *Installation) (changed string, err error) {
	var rows []watchedOption
	query := "SELECT option_name, LENGTH(option_value) AS length, CASE WHEN LENGTH(option_value) < 100 THEN " +
		"option_value ELSE '' END AS value FROM " +
		i.Table("option") + " WHERE option_name IN (?)"
	if err := selectIn(ctx, i.db, &rows, query, watchedOptions); err != nil {
		return "", fmt.Errorf("options: %w", err)
	}
	now := make(map[string]watchedOption, len(rows))
	for _, row := range rows {
		now[row.Name] = row
	}
	before := w.options
	w.options = now
	if now["version_core"].Value != i.version {
		return "version_core", nil
	}
	if before == nil {
		return "", nil
	}
	for _, name := range watchedOptions {
		if now[name] != before[name] {
			return name, nil
		}
	}
	return "", nil
}
