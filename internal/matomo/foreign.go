package matomo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Foreign is something in an installation that changes what the tracker writes and that this program does not know.
type Foreign struct {
	Name   string // of the plugin, or the path of a file
	Reason string // what it does, as far as could be seen
}

// ForeignTrackerPlugins looks for active plugins that hook into tracking (spec §15.2): the known ones by
// name, all others by what their folder in plugins holds, even if the installation's global.ini.php lists them as its
// own. A plugin that is neither known nor to be found there cannot be judged and is reported too. Dependency overrides
// of the tracker in config/config.php, and a bootstrap.php that takes the configuration elsewhere, are reported under
// these names. Errors tell of files that cannot be read.
func (c *Config) ForeignTrackerPlugins() ([]Foreign, error) {
	var found []Foreign
	for _, name := range c.Plugins().Names() {
		reason, err := c.judge(name)
		if err != nil {
			return nil, fmt.Errorf("plugin %s: %w", name, err)
		}
		if reason != "" {
			found = append(found, Foreign{name, reason})
		}
	}
	overrides := filepath.Join("config", "config.php")
	text, err := os.ReadFile(filepath.Join(c.dir, overrides))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if hint := firstOf(string(text), `Tracker\`, "Tracker.", "path.geoip2"); hint != "" {
		found = append(found, Foreign{overrides, fmt.Sprintf("replaces parts of Matomo (%s)", hint)})
	}
	if replacesConfig(string(text)) {
		found = append(found, Foreign{overrides, replacesSettings})
	}
	if words := bootstrapWords(c.dir); words != "" {
		found = append(found, Foreign{
			"bootstrap.php",
			fmt.Sprintf("sets %s: Matomo may have other settings than are seen here", words),
		})
	}
	return found, nil
}

// judge tells how a plugin takes part in tracking in a way that is not known here, "" when it does not.
func (c *Config) judge(name string) (reason string, err error) {
	isKnown, gone := known(name, c.version)
	if isKnown || harmless[name] {
		return "", nil
	}
	if reason, ok := trackerPlugins[name]; ok {
		return reason, nil
	}
	if _, ok := native[name]; ok {
		return c.notNative(name), nil
	}
	folder := filepath.Join(c.dir, "plugins", name)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		if gone { // a name that stayed in the list when Matomo was updated: PHP loads nothing
			return "", nil
		}
		return "is not known, and its folder plugins/" + name + " is not there to look into", nil
	}
	return inspect(folder, name)
}

// hooks are the places of a plugin where it can take part in tracking, with the words in its PHP files that show it.
// The words leave out Matomo's own namespace, which is Piwik or Matomo; RequestProcessor is also the end of
// BotRequestProcessor.
var hooks = []struct {
	folder, reason string
	words          []string
}{
	{"Columns", "fills columns of the log tables", []string{"VisitDimension", "ActionDimension", "ConversionDimension"}},
	{"Tracker", "processes tracking requests", []string{"RequestProcessor"}},
	{"Actions", "tracks actions of its own", []string{`Tracker\Action`}},
	{"LocationProvider", "locates visitors", []string{"LocationProvider"}},
	{"config", "replaces parts of the tracker", []string{`Tracker\`, "'Tracker.", "DeviceDetector"}},
}

// harmlessEvents fill caches or are about the tracker's JavaScript.
var harmlessEvents = strings.NewReplacer(
	"Tracker.Cache.getSiteAttributes", "", "Tracker.setTrackerCacheGeneral", "", "Tracker.end", "", "Tracker.getJavascriptCode", "",
)

// trackerEvents begin the names, as written in PHP, of events that decide what is tracked, and of the method that
// declares a plugin to be one of the tracker's.
var trackerEvents = []string{"'Tracker.", `"Tracker.`, "'Referrer.add", `"Referrer.add`, "Request.initAuthenticationObject", "isTrackerPlugin"}

// inspect tells how the plugin in folder takes part in tracking, "" when nothing shows that it does.
func inspect(folder, name string) (reason string, err error) {
	container, err := os.ReadFile(filepath.Join(folder, "config", "config.php"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if replacesConfig(string(container)) {
		return replacesSettings + " (config/config.php)", nil
	}
	for _, hook := range hooks {
		file, err := findWords(filepath.Join(folder, filepath.FromSlash(hook.folder)), hook.words)
		if err != nil {
			return "", err
		}
		if file != "" {
			return fmt.Sprintf("%s (%s/%s)", hook.reason, hook.folder, file), nil
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, name+".php"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	events := harmlessEvents.Replace(string(text))
	if hint := firstOf(events, trackerEvents...); hint != "" {
		return fmt.Sprintf("hooks into the tracker (%s in %s.php)", strings.Trim(hint, `'".`), name), nil
	}
	return "", nil
}

// findWords returns the first PHP file below root (or root itself) that holds one of the words, relative to root.
func findWords(root string, words []string) (file string, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() || filepath.Ext(path) != ".php" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, word := range words {
			if strings.Contains(string(text), word) {
				if file, err = filepath.Rel(root, path); err != nil {
					return err
				}
				return fs.SkipAll
			}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return file, err
}

// firstOf returns the first of the words that text holds, "" when it holds none.
func firstOf(text string, words ...string) string {
	for _, word := range words {
		if strings.Contains(text, word) {
			return word
		}
	}
	return ""
}
