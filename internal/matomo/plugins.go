package matomo

import (
	"slices"
	"strings"
)

// Plugins are the plugins that take part in tracking (spec §15.1): active and installed ones, in load order.
type Plugins struct {
	names  []string
	active map[string]bool
	others map[string]bool // active ones that are part of this program in other versions only
}

// Plugins returns the installation's active plugins. Where no file lists the installed plugins (Matomo adds the list
// when it first runs) all active ones count as installed. Provider is left out where the queue's worker does not load
// it, and so are plugins that are too old for Matomo.
func (c *Config) Plugins() Plugins {
	installed := list(c.fileValue("PluginsInstalled", "PluginsInstalled"))
	p := Plugins{active: make(map[string]bool), others: make(map[string]bool)}
	for _, name := range list(c.fileValue("Plugins", "Plugins")) {
		if name == "Provider" && !c.behaviours.ProviderInWorker || c.tooOld(name) {
			continue
		}
		if !p.active[name] && (!c.installedList || slices.Contains(installed, name)) {
			p.active[name] = true
			p.others[name] = c.notNative(name) != ""
			p.names = append(p.names, name)
		}
	}
	slices.SortStableFunc(p.names, c.byLoadOrder)
	return p
}

// byLoadOrder puts the core plugins first, in the order of global.ini.php, then the others by name.
func (c *Config) byLoadOrder(a, b string) int {
	i, j := slices.Index(c.core, a), slices.Index(c.core, b)
	switch {
	case i >= 0 && j >= 0:
		return i - j
	case i >= 0:
		return -1
	case j >= 0:
		return 1
	default:
		return naturalCompare(strings.ToLower(a), strings.ToLower(b))
	}
}

// Active reports whether the plugin of that name takes part.
func (p Plugins) Active(name string) bool { return p.active[name] }

// Native reports whether the plugin takes part and this program does what it does. It does not for a version of one
// that is not known.
func (p Plugins) Native(name string) bool { return p.active[name] && !p.others[name] }

// Names lists the plugins in load order. The slice is not to be changed.
func (p Plugins) Names() []string { return p.names }

// naturalCompare compares names as people do: IP2 before IP10.
func naturalCompare(a, b string) int {
	for a != "" && b != "" {
		na, nb := digits(a), digits(b)
		if na == 0 || nb == 0 {
			if a[0] != b[0] {
				return int(a[0]) - int(b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		x, y := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		if d := strings.Compare(x, y); d != 0 {
			return d
		}
		a, b = a[na:], b[nb:]
	}
	return len(a) - len(b)
}

// digits counts the digits that s begins with.
func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}
