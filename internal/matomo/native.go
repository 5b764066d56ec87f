package matomo

import "fmt"

// bandwidthPlugin fills a column of actions (spec §P2).
const bandwidthPlugin = "Bandwidth"

// nativePlugin is a plugin beside Matomo that is part of this program in some of its versions: from the first one on,
// and before the other. Matomo loads them before its own version until, which they name as their requirement; "" is
// any.
type nativePlugin struct{ from, to, inWords, until string }

// native is the one place that knows these versions.
var native = map[string]nativePlugin{
	bandwidthPlugin: {"5.0.0", "5.1.0", "5.0", "6.0.0"},
	campaignsPlugin: {"5.0.0", "5.1.0", "5.0", "6.0.0"},
	spamPlugin:      {"5.0.0", "5.3.0", "5.0 to 5.2", ""},
}

func (p *nativePlugin) has(v Version) bool { return v.Since(p.from) && !v.Since(p.to) }

// nativeVersion is the installed version of a plugin of the list, by its files or, where they are not there, by the
// database.
func (c *Config) nativeVersion(name string) Version {
	if v := c.PluginVersion(name); v != (Version{}) {
		return v
	}
	return c.plugins[name]
}

// notNative tells why this program does not do what an active plugin of the list does: it is another version. It is ""
// for a version that is known, and for all other plugins.
func (c *Config) notNative(name string) (reason string) {
	p, listed := native[name]
	if isKnown, _ := known(name, c.version); isKnown || !listed {
		return ""
	}
	v := c.nativeVersion(name)
	if p.has(v) {
		return ""
	}
	says := v.String()
	if v == (Version{}) {
		says = "none"
	}
	return fmt.Sprintf("is known in its versions %s; plugins/%s/plugin.json names %s", p.inWords, name, says)
}

// tooOld reports whether Matomo leaves out an active plugin of the list, because its version is not made for Matomo's.
func (c *Config) tooOld(name string) bool {
	p, listed := native[name]
	return listed && p.until != "" && c.version.Since(p.until) && p.has(c.nativeVersion(name))
}
