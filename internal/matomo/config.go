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
var ErrNotMatomo = errors.New("no config/config.ini.php there: is this the Matomo directory? set --matomo or MATOMO_DIR")

// Config holds the settings of Matomo's configuration files (specification §13.1). It is never changed after loading.
type Config struct {
	dir           string
	common, local *php.Array // the files over global.ini.php, common nil when absent
	builtIn       bool       // there is no global.ini.php: built-in defaults stand in
	version       Version
	behaviours    Behaviours
	sections      *php.Array
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

// LoadConfig reads config/global.ini.php (built-in defaults when absent), config/common.config.ini.php (when present)
// and config/config.ini.php of the Matomo directory dir; files for single host names are not looked for. Errors name
// the file: ErrNotMatomo when config.ini.php is missing, else what stops it from being read.
func LoadConfig(dir string) (*Config, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	file := func(name string) string { return filepath.Join(abs, "config", name) }
	local, err := readINI(file("config.ini.php"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", abs, ErrNotMatomo)
	} else if err != nil {
		return nil, err
	}
	common, err := readINI(file("common.config.ini.php"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	global, err := readINI(file("global.ini.php"))
	if errors.Is(err, fs.ErrNotExist) {
		return withDefaults(abs, common, local)
	}
	if err != nil {
		return nil, err
	}
	return newConfig(abs, global, common, local), nil
}

// withDefaults makes the configuration of an installation without global.ini.php: what stands in for it depends on the
// version, which core/Version.php may tell, and the database later (For).
func withDefaults(dir string, common, local *php.Array) (*Config, error) {
	global, err := defaults(versionOfFiles(dir))
	if err != nil {
		return nil, err
	}
	c := newConfig(dir, global, common, local)
	c.builtIn = true
	return c, nil
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
		changed = *newConfig(c.dir, global, c.common, c.local)
		changed.builtIn, changed.database = true, c.database
	}
	changed.version, changed.behaviours = f.Version, BehavioursOf(f)
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
	return withDefaults(dir, nil, local)
}

func readINI(path string) (*php.Array, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: run as the user that Matomo runs as, e.g. with sudo -u www-data", err)
	}
	if err != nil {
		return nil, err
	}
	sections, err := parseINI(string(text), os.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return sections, nil
}

func newConfig(dir string, global, common, local *php.Array) *Config {
	c := &Config{dir: dir, common: common, local: local, version: versionOfFiles(dir)}
	c.core = list(global.Value("Plugins").Array().Value("Plugins"))
	merged := mergeRecursive(global, common)
	for name, section := range local.All() {
		if !section.IsArray() {
			continue
		}
		replaced := merged.Value(name).Array().Clone()
		for key, value := range section.Array().All() {
			replaced.Set(key, value)
		}
		merged.Set(name, php.ArrayValue(replaced))
	}
	c.sections = merged
	c.installedList = hasKey(common, "PluginsInstalled", "PluginsInstalled") || hasKey(local, "PluginsInstalled", "PluginsInstalled")
	return c
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

// List holds the values of "key[] = …" lines. A single value counts as a list of one, nothing and "" as an empty list.
func (c *Config) List(section, key string) []string { return list(c.Value(section, key)) }

func list(v php.Value) []string {
	if !v.IsArray() {
		if s := php.ToString(v); s != "" {
			return []string{s}
		}
		return nil
	}
	values := make([]string, 0, v.Array().Len())
	for _, item := range v.Array().All() {
		values = append(values, php.ToString(item))
	}
	return values
}

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
