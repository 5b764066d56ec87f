package device

import (
	"strconv"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// system is an operating system. Without a name nothing is known.
type system struct{ name, code, version, family string }

// findSystem combines what client hints and user agent say (tracker-spec §10.3, step 2).
func (d *detection) findSystem() system {
	hint, agent := d.systemFromHints(), d.systemFromAgent()
	var s system
	switch {
	case !php.EmptyString(hint.name):
		s = d.mergeSystems(hint, agent)
	case !php.EmptyString(agent.name):
		s = agent
	default:
		return system{}
	}
	s.family = d.tables.systemFamily(s.code)
	d.systemOfApp(&s)
	if code, ok := d.tables.systems.byName[s.name]; ok {
		s.code = code
	}
	return s
}

// mergeSystems prefers the hint, and takes from the user agent what is more detailed.
func (d *detection) mergeSystems(hint, agent system) system {
	s := hint
	agentFamily := d.tables.systemFamily(agent.name)
	if php.EmptyString(s.version) && d.tables.systemFamily(s.name) == agentFamily {
		s.version = agent.version
	}
	if agentFamily == s.name && agent.name != s.name {
		s.name = agent.name
		switch s.name {
		case "HarmonyOS":
			s.version = ""
		case "PICO OS":
			s.version = agent.version
		case "Fire OS":
			s.version = mapVersion(d.tables.fireOS, s.version)
		}
	}
	// Chrome OS calls itself Linux in some client hints.
	if s.name == "GNU/Linux" && agent.name == "Chrome OS" && hint.version == agent.version {
		s.name, s.code = agent.name, agent.code
	}
	return s
}

// mapVersion finds what a version of Android stands for: by the full version, else by the number it begins with, else nothing.
func mapVersion(table map[string]string, version string) string {
	if v, ok := table[version]; ok {
		return v
	}
	return table[strconv.FormatInt(php.StringToInt(version), 10)]
}

// systemOfApp overrules s where the app that sent the request runs on one system only.
func (d *detection) systemOfApp(s *system) {
	switch app := d.hints.app; {
	case d.tables.androidApps[app] && s.name != "Android":
		*s = system{name: "Android", family: "Android"}
	case app == "org.lineageos.jelly" && s.name != "Lineage OS":
		*s = system{name: "Lineage OS", family: "Android", version: mapVersion(d.tables.lineageOS, s.version)}
	case app == "org.mozilla.tv.firefox" && s.name != "Fire OS":
		*s = system{name: "Fire OS", family: "Android", version: mapVersion(d.tables.fireOS, s.version)}
	}
}

func (d *detection) systemFromHints() system {
	if php.EmptyString(d.hints.platform) {
		return system{}
	}
	name := d.hints.platform
	if mapped, ok := d.tables.systemHints[php.ToLower(name)]; ok {
		name = mapped
	}
	found, _ := d.tables.systems.findLoose(name, "")
	s := system{name: found.name, code: found.code, version: d.hints.platformVersion}
	if s.name == "Windows" {
		switch major := php.StringToInt(s.version); {
		case major > 10:
			s.version = "11"
		case major > 0:
			s.version = "10"
		}
	}
	if php.StringToInt(s.version) == 0 {
		s.version = ""
	}
	s.version = buildVersion(s.version, nil)
	return s
}

func (d *detection) systemFromAgent() system {
	rules := &d.rules.systems
	id, groups, ok := d.subject.First(rules.from, rules.to)
	if !ok {
		return system{}
	}
	rule := &rules.rules[id-rules.from]
	s := d.namedSystem(expand(rule.name, groups))
	s.version = buildVersion(rule.version, groups)
	for i := range rule.versions {
		v := &rule.versions[i]
		groups, ok := d.subject.Try(v.pattern)
		if !ok {
			continue
		}
		if v.name != nil {
			version := s.version
			s = d.namedSystem(expand(*v.name, groups))
			s.version = version
		}
		if v.version != nil {
			s.version = buildVersion(*v.version, groups)
		}
		break
	}
	return s
}

// namedSystem gives a name its code and its usual spelling.
func (d *detection) namedSystem(name string) system {
	if found, ok := d.tables.systems.find(name); ok {
		return system{name: found.name, code: found.code}
	}
	return system{name: name, code: unknown}
}
