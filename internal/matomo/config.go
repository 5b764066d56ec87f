package matomo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// ErrNotMatomo tells that a directory holds no config/config.ini.php.
var ErrNotMatomo = errors.New("no config/config.ini.php there: is this the Matomo directory? set --matomo or " +
	"MATOMO_DIR")

// Config holds the settings of Matomo's configuration files (spec §13.1), and those of the environment where
// Matomo reads it (readEnvironment). It is never changed after loading.
type Config struct {
	source        Source
	dir           string
	file          string     // the local configuration file, relative to dir
	common, local *php.Array // the files over global.ini.php, common nil when absent
	builtIn       bool       // there is no global.ini.php: built-in defaults stand in
	version       Version
	behaviours    Behaviours
	plugins       map[string]Version  // Found.Plugins
	campaigns     *CampaignParameters // nil without plugin MarketingCampaignsReporting
	files         *php.Array          // the sections as the files have them
	sections      *php.Array          // the same, with what the environment replaces
	variables     map[settingName]string
	core          []string // the plugins that global.ini.php lists, in their order
	installedList bool     // a file lists the installed plugins
	database      *Database
}

// WithDatabase is the same configuration with another section [database].
func (c *Config) WithDatabase(d Database) *Config {
	changed := *c
	changed.database = &d
	return &changed
}

// Source says where a configuration comes from.
type Source struct {
	Dir       string                           // Matomo's
	Host      string                           // of installations that share a folder, as Host gives it; "": of all hosts
	LookupEnv func(name string) (string, bool) // nil: the environment of the process
}

// LoadConfig reads the configuration of the Matomo in dir: Source.Load without a host.
func LoadConfig(dir string) (*Config, error) { return Source{Dir: dir}.Load() }

// Load reads config/global.ini.php (built-in defaults when absent), config/common.config.ini.php (when present) and
// config/config.ini.php of the Matomo directory, or in its place the file of the host (localFile). Errors name the
// file: ErrNotMatomo when config.ini.php is missing, else what stops it from being read.
func (s Source) Load() (*Config, error) {
	abs, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Dir, err)
	}
	if s.Dir = abs; s.LookupEnv == nil {
		s.LookupEnv = os.LookupEnv
	}
	c := &Config{source: s, dir: abs, file: localFile(abs, s.Host)}
	if c.local, err = s.readINI(c.file); errors.Is(err, fs.ErrNotExist) {
		return nil, s.missing(abs)
	} else if err != nil {
		return nil, err
	}
	c.common, err = s.readINI("config/common." + configFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	global, err := s.readINI("config/global.ini.php")
	if errors.Is(err, fs.ErrNotExist) {
		return c.withDefaults()
	}
	if err != nil {
		return nil, err
	}
	c.merge(global)
	return c, c.checkPluginLists()
}

// withDefaults makes the configuration of an installation without global.ini.php: what stands in for it depends on the
// version, which core/Version.php may tell, and the database later (For).
func (c *Config) withDefaults() (*Config, error) {
	global, err := defaults(versionOfFiles(c.dir))
	if err != nil {
		return nil, err
	}
	c.builtIn = true
	c.merge(global)
	return c, c.checkPluginLists()
}

// For is the configuration as an installation of the kind that was found reads it: its behaviours count, and where
// there is no global.ini.php the defaults of its version.
func (c *Config) For(f Found) (*Config, error) {
	changed := *c
	if c.builtIn {
		global, err := defaults(f.Version)
		if err != nil {
			return nil, err
		}
		changed.merge(global)
	}
	changed.version, changed.behaviours, changed.plugins = f.Version, BehavioursOf(f), f.Plugins
	if changed.Plugins().Native(campaignsPlugin) {
		changed.campaigns = changed.campaignParameters()
	}
	return &changed, nil
}

// Behaviours are those of the installation, of Matomo 5.0 until it was looked at (Open).
func (c *Config) Behaviours() Behaviours { return c.behaviours }

// ParseConfig makes the configuration of an installation in dir whose config.ini.php has the given text, over the
// built-in defaults. The directory need not exist.
func ParseConfig(dir, text string) (*Config, error) {
	local, err := parseINI(text, os.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("config.ini.php: %w", err)
	}
	c := &Config{source: Source{Dir: dir, LookupEnv: os.LookupEnv}, dir: dir, file: localFile(dir, ""), local: local}
	return c.withDefaults()
}

// readINI reads a file of the Matomo directory.
func (s Source) readINI(name string) (*php.Array, error) {
	path := filepath.Join(s.Dir, filepath.FromSlash(name))
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: run as the user that Matomo runs as, e.g. with sudo -u www-data", err)
	}
	if err != nil {
		return nil, err
	}
	sections, err := parseINI(string(text), s.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return sections, nil
}

// merge lays the other files over global.ini.php, and the environment over all of them.
func (c *Config) merge(global *php.Array) {
	c.version = versionOfFiles(c.dir)
	c.core = list(global.Value("Plugins").Array().Value("Plugins"))
	merged := mergeRecursive(global, c.common)
	for name, section := range c.local.All() {
		if !section.IsArray() {
			continue
		}
		replaced := merged.Value(name).Array().Clone()
		for key, value := range section.Array().All() {
			replaced.Set(key, value)
		}
		merged.Set(name, php.ArrayValue(replaced))
	}
	c.files, c.sections = merged, merged
	c.installedList = hasKey(c.common, "PluginsInstalled", "PluginsInstalled") ||
		hasKey(c.local, "PluginsInstalled", "PluginsInstalled")
	c.readEnvironment()
}

// mergeRecursive lays the entries of over upon those of base, going into arrays that both have.
func mergeRecursive(base, over *php.Array) *php.Array {
	merged := base.Clone()
	for key, value := range over.All() {
		if below := merged.Value(key); below.IsArray() && value.IsArray() {
			value = php.ArrayValue(mergeRecursive(below.Array(), value.Array()))
		}
		merged.Set(key, value)
	}
	return merged
}

func hasKey(sections *php.Array, section, key string) bool {
	_, ok := sections.Value(section).Array().Get(key)
	return ok
}

// Dir is the absolute path of the Matomo directory.
func (c *Config) Dir() string { return c.dir }

// Host is the host whose configuration this is, "" where it is that of all hosts.
func (c *Config) Host() string { return c.source.Host }

// LocalFile is the name of the configuration file that is the installation's own: config/config.ini.php, or that of a
// host.
func (c *Config) LocalFile() string { return filepath.ToSlash(c.file) }

// Value is the setting as PHP has it, null when it is not set.
func (c *Config) Value(section, key string) php.Value {
	return c.sections.Value(section).Array().Value(key)
}

// String is the setting as text, "" when it is not set.
func (c *Config) String(section, key string) string { return php.ToString(c.Value(section, key)) }

// Int is the setting as PHP's (int), 0 when it is not set.
func (c *Config) Int(section, key string) int64 { return php.ToInt(c.Value(section, key)) }

// Bool is the setting's truth in PHP, false when it is not set.
func (c *Config) Bool(section, key string) bool { return php.ToBool(c.Value(section, key)) }

// siteValue is a setting of section Tracker, overridden by [Tracker_<idsite>] where a site is given.
func (c *Config) siteValue(siteID int64, key string) php.Value {
	if siteID > 0 {
		if v, ok := c.sections.Value(fmt.Sprintf("Tracker_%d", siteID)).Array().Get(key); ok {
			return v
		}
	}
	return c.Value("Tracker", key)
}

// splitTrim splits a setting such as "a, b" at its commas and trims the parts; empty parts stay, as in PHP.
func splitTrim(s string) []string {
	parts := strings.Split(s, ",")
	for i, part := range parts {
		parts[i] = php.Trim(part)
	}
	return slices.Clip(parts)
}
