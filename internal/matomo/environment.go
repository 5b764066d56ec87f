package matomo

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// environmentPlugin is a plugin of Matomo's makers that replaces settings by variables of the environment.
const environmentPlugin = "EnvironmentVariables"

// settingName is a section with one of its keys.
type settingName struct{ section, key string }

// readEnvironment does what plugin EnvironmentVariables does where it is active and installed: each setting that some
// file has is replaced by the variable MATOMO_SECTION_KEY, if there is one, as text, also by an empty one. What the
// files say of plugins still decides which of them are loaded.
func (c *Config) readEnvironment() {
	if !c.ReadsEnvironment() {
		return
	}
	c.variables = make(map[settingName]string)
	sections := c.files.Clone()
	for section, settings := range c.files.All() {
		if !settings.IsArray() {
			continue
		}
		replaced := settings.Array().Clone()
		for key := range settings.Array().All() {
			name := variable(section, key)
			if value, ok := c.source.LookupEnv(name); ok {
				replaced.Set(key, php.String(value))
				c.variables[settingName{section, key}] = name
			}
		}
		sections.Set(section, php.ArrayValue(replaced))
	}
	c.sections = sections
}

// ReadsEnvironment reports whether the plugin is active and installed: Matomo loads its container before all else.
func (c *Config) ReadsEnvironment() bool {
	if !slices.Contains(list(c.fileValue("Plugins", "Plugins")), environmentPlugin) {
		return false
	}
	_, err := os.Stat(filepath.Join(c.dir, "plugins", environmentPlugin, "config", "config.php"))
	return err == nil
}

// variable is the name of the environment's variable for a setting.
func variable(section, key string) string { return "MATOMO_" + upper(section) + "_" + upper(key) }

// Unset names the variables that plugin EnvironmentVariables looks for in vain, of some keys of a section.
func (c *Config) Unset(section string, keys ...string) (names []string) {
	if !c.ReadsEnvironment() {
		return nil
	}
	for _, key := range keys {
		if _, ok := c.variables[settingName{section, key}]; !ok {
			names = append(names, variable(section, key))
		}
	}
	return names
}

// Idle are the variables for settings of plugin QueuedTracking that are set and have no effect, in Matomo as here: no
// file has the key that they are to replace.
func (c *Config) Idle() (names []string) {
	const section = "QueuedTracking"
	for _, name := range c.Unset(section, queueKeys...) {
		if _, ok := c.source.LookupEnv(name); ok {
			names = append(names, name)
		}
	}
	return names
}

// queueKeys are the settings of plugin QueuedTracking.
var queueKeys = []string{
	"backend", "useWhatRedisBackendType", "redisHost", "redisPort", "redisTimeout", "redisDatabase", "redisUsername",
	"redisPassword",
	"sentinelMasterName", "usePasswordForSentinelInstances", "queueEnabled", "numQueueWorkers", "numRequestsToProcess",
	"processDuringTrackingRequest",
}

// Variables are the names of the environment's variables that replace settings, sorted.
func (c *Config) Variables() []string {
	var names []string
	for _, name := range c.variables {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// FromEnvironment reports whether a variable of the environment replaces a setting.
func (c *Config) FromEnvironment(section, key string) bool {
	_, ok := c.variables[settingName{section, key}]
	return ok
}

// Origin tells where a setting comes from: the name of a variable, or of the configuration file.
func (c *Config) Origin(section, key string) string {
	if name, ok := c.variables[settingName{section, key}]; ok {
		return "the variable " + name + " (plugin " + environmentPlugin + ")"
	}
	return c.LocalFile()
}

// fileValue is a setting as the files have it, whatever the environment says.
func (c *Config) fileValue(section, key string) php.Value {
	return c.files.Value(section).Array().Value(key)
}

// upper is PHP's strtoupper: letters beyond ASCII stay.
func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
