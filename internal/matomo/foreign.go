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

// ForeignTrackerPlugins looks for active plugins that hook into tracking (specification §15.2): the known ones by name, all others by
// what their folder in dir/plugins holds. A plugin that is neither known nor to be found there cannot be judged and is reported too.
// Dependency overrides of the tracker in config/config.php are reported under that name. Errors tell of files that cannot be read.
func ForeignTrackerPlugins(dir string, plugins Plugins) ([]Foreign, error) {
	var found []Foreign
	for _, name := range plugins.Names() {
		if plugins.core[name] || harmless[name] {
			continue
		}
		reason, known := trackerPlugins[name]
		if !known {
			var err error
			if reason, err = inspect(filepath.Join(dir, "plugins", name), name); err != nil {
				return nil, fmt.Errorf("plugin %s: %w", name, err)
			}
		}
		if reason != "" {
			found = append(found, Foreign{name, reason})
		}
	}
	overrides := filepath.Join("config", "config.php")
	text, err := os.ReadFile(filepath.Join(dir, overrides))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if hint := firstOf(string(text), `Tracker\`, "Tracker.", "path.geoip2"); hint != "" {
		found = append(found, Foreign{overrides, fmt.Sprintf("replaces parts of Matomo (%s)", hint)})
	}
	return found, nil
}

// harmless plugins write nothing while tracking and change nothing that is written, or are part of this program.
var harmless = wordSet(`ActivityLog AnonymousPiwikUsageMeasurement CustomAlerts CustomReports CustomVariables Cohorts DBStats
	DeviceDetectorCache Funnels LogViewer LoginLdap LoginSaml MobileAppMeasurable MultiChannelConversionAttribution Provider
	QueuedTracking RollUpReporting SEOWebVitals SearchEngineKeywordsPerformance SecurityInfo TagManager TasksTimetable
	TreemapVisualization UsersFlow VisitorGenerator WhiteLabel WooCommerceAnalytics`)

// trackerPlugins are known to take part in tracking.
var trackerPlugins = map[string]string{
	"AbTesting":                   "records experiments in table log_abtesting",
	"AdvertisingConversionExport": "records click ids in table log_clickid",
	"Bandwidth":                   "fills column bandwidth of log_link_visit_action",
	"CrashAnalytics":              "records crashes in tables log_crash and log_crash_event",
	"FormAnalytics":               "records forms in table log_form",
	"HeatmapSessionRecording":     "records sessions in tables log_hsr and log_hsr_event",
	"MarketingCampaignsReporting": "fills the campaign_… columns and changes how campaigns are recognised",
	"MediaAnalytics":              "records media in table log_media",
	"TrackingSpamPrevention":      "excludes visits by rules of its own",
}

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}

// hooks are the places of a plugin where it can take part in tracking, with the words in its PHP files that show it.
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

// trackerEvents begin the names, as written in PHP, of events that decide what is tracked, and of the method that declares a plugin to
// be one of the tracker's.
var trackerEvents = []string{"'Tracker.", `"Tracker.`, "'Referrer.add", `"Referrer.add`, "Request.initAuthenticationObject", "isTrackerPlugin"}

// inspect tells how the plugin in folder takes part in tracking, "" when nothing shows that it does.
func inspect(folder, name string) (reason string, err error) {
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return "is not known, and its folder plugins/" + name + " is not there to look into", nil
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
