package device

import (
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// system is an operating system. Without a name nothing is known.
type system struct{ name, code, version, family string }

// findSystem combines what client hints and user agent say (spec §10.3, step 2).
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
	if s.name == "Puffin OS" && d.facts.puffinVersion {
		s.version = agent.version
	}
	exceptions := d.facts.systemExceptions
	if agentFamily == s.name && agent.name != s.name {
		s.name = agent.name
		switch {
		case s.name == "HarmonyOS", s.name == "LeafOS" && exceptions:
			s.version = ""
		case s.name == "PICO OS" && d.facts.picoVersion:
			s.version = agent.version
		case s.name == "Fire OS" && d.facts.fireOSVersions && !(exceptions && php.EmptyString(hint.version)):
			version := mapVersion(d.tables.fireOS, s.version)
			if version != "" || d.facts.onlyKnownFireOS {
				s.version = version
			}
		}
	}
	// Some systems call themselves by another name in client hints.
	switch {
	case s.name == "GNU/Linux" && agent.name == "Chrome OS" && hint.version == agent.version:
		s.name, s.code = agent.name, agent.code
	case s.name == "Android" && agent.name == "Chrome OS" && exceptions:
		s.name, s.code, s.version = agent.name, agent.code, ""
	case s.name == "GNU/Linux" && agent.name == "Meta Horizon" && exceptions:
		s.name, s.code = agent.name, agent.code
	}
	return s
}

// mapVersion finds what a version of Android stands for: by the full version, else by the number it begins with, else
// nothing.
func mapVersion(table map[string]string, version string) string {
	if v, ok := table[version]; ok {
		return v
	}
	return table[strconv.FormatInt(php.StringToInt(version), 10)]
}

// systemOfApp overrules s where the app that sent the request runs on one system only.
func (d *detection) systemOfApp(s *system) {
	switch app := d.hints.app; {
	case d.facts.androidApps[app] && s.name != "Android":
		*s = system{name: "Android", family: "Android"}
	case !d.facts.appSystems:
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
		s.version = d.windowsVersion(s.version)
	}
	keeps := d.facts.windowsMinor && (s.name == "Windows" || s.version == "0.0.0")
	if php.StringToInt(s.version) == 0 && !keeps {
		s.version = ""
	}
	s.version = buildVersion(s.version, nil)
	return s
}

// windowsVersion is the Windows that a hint's version stands for. Those before 10 call themselves 0.1, 0.2 and 0.3.
func (d *detection) windowsVersion(version string) string {
	switch major := php.StringToInt(version); {
	case major > 10:
		return "11"
	case major > 0:
		return "10"
	case major == 0 && d.facts.windowsMinor:
		_, minor, _ := strings.Cut(version, ".")
		switch php.StringToInt(minor) {
		case 1:
			return "7"
		case 2:
			return "8"
		case 3:
			return "8.1"
		}
	}
	return version
}

func (d *detection) systemFromAgent() system {
	rules, subject := &d.rules.systems, d.subject
	if d.facts.restoredSystem {
		subject = d.restoredSubject()
	}
	id, groups, ok := subject.First(rules.from, rules.to)
	if !ok {
		return system{}
	}
	rule := &rules.rules[id-rules.from]
	s := d.namedSystem(expand(rule.name, groups))
	s.version = buildVersion(rule.version, groups)
	for i := range rule.versions {
		v := &rule.versions[i]
		groups, ok := subject.Try(v.pattern)
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
