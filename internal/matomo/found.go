package matomo

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// find looks at the installation's tables and files for what behaviours depend on. version is that of option
// version_core.
func (i *Installation) find(ctx context.Context, version string) (Found, error) {
	f := i.config.found(version)
	for _, column := range []struct {
		table, name string
		found       *bool
	}{
		{"log_bot_request", "idrequest", &f.BotRequestTable},
		{"log_page_view_time", "idpageviewtime", &f.PageViewTimeTable},
		{"log_visit", "ai_agent_name", &f.AgentColumn},
	} {
		var err error
		if *column.found, err = i.hasColumn(ctx, column.table, column.name); err != nil {
			return Found{}, err
		}
	}
	for plugin, found := range map[string]*Version{
		"QueuedTracking": &f.QueuedTracking, "Provider": &f.Provider, spamPlugin: &f.SpamPrevention,
	} {
		if *found != (Version{}) {
			continue
		}
		var err error
		if *found, err = i.storedVersion(ctx, plugin); err != nil {
			return Found{}, err
		}
	}
	f.Plugins = make(map[string]Version)
	for plugin := range native {
		if i.config.PluginVersion(plugin) != (Version{}) {
			continue
		}
		var err error
		if f.Plugins[plugin], err = i.storedVersion(ctx, plugin); err != nil {
			return Found{}, err
		}
	}
	return f, nil
}

// storedVersion is a plugin's by option version_<plugin>, the zero Version when there is none.
func (i *Installation) storedVersion(ctx context.Context, plugin string) (Version, error) {
	text, _, err := i.Option(ctx, "version_"+plugin)
	v, _ := ParseVersion(text)
	return v, err
}

// found is what the files say.
func (c *Config) found(version string) Found {
	if version == "" {
		version = fileVersion(c.dir)
	}
	f := Found{
		QueuedTracking: c.PluginVersion("QueuedTracking"),
		Provider:       c.PluginVersion("Provider"),
		SpamPrevention: c.PluginVersion(spamPlugin),
		ComplianceFlag: c.featureFlag("PrivacyCompliance"),
	}
	f.Version, _ = ParseVersion(version)
	if f.Version.Major >= firstWithSpamPrevention {
		f.SpamPrevention = f.Version
	}
	f.IntranetFile = c.pluginFile("IntranetMeasurable/Tracker/RequestProcessor.php")
	f.BotProcessorFile = c.pluginFile("BotTracking/Tracker/BotRequestProcessor.php")
	f.ProviderFile = c.pluginFile("Provider/Configuration.php")
	return f
}

// firstWithSpamPrevention is the first Matomo that plugin TrackingSpamPrevention is a part of.
const firstWithSpamPrevention = 6

// pluginFile is the text of a file of a plugin, "" where it is not there.
func (c *Config) pluginFile(name string) string {
	text, err := os.ReadFile(filepath.Join(c.dir, "plugins", filepath.FromSlash(name)))
	if err != nil {
		return ""
	}
	return string(text)
}

func (c *Config) featureFlag(name string) bool {
	return strings.EqualFold(c.String("FeatureFlags", name+"_feature"), "enabled")
}

// PluginVersion is the version in the plugin's plugin.json, the zero Version when there is none.
func (c *Config) PluginVersion(plugin string) Version {
	text, err := os.ReadFile(filepath.Join(c.dir, "plugins", plugin, "plugin.json"))
	if err != nil {
		return Version{}
	}
	var about struct{ Version string }
	if json.Unmarshal(text, &about) != nil {
		return Version{}
	}
	v, _ := ParseVersion(about.Version)
	return v
}

// errNoSuchColumn is the number of MySQL's error.
const errNoSuchColumn = 1054

// hasColumn reports whether a table is there and has a column.
func (i *Installation) hasColumn(ctx context.Context, table, column string) (bool, error) {
	rows, err := i.db.QueryContext(ctx, "SELECT "+column+" FROM "+i.Table(table)+" LIMIT 0")
	if err == nil {
		return true, rows.Close()
	}
	var m *mysql.MySQLError
	if isMissingTable(err) || errors.As(err, &m) && m.Number == errNoSuchColumn ||
		strings.Contains(err.Error(), "no such column") {
		return false, nil
	}
	return false, err
}
