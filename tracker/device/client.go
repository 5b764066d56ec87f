package device

import (
	"regexp"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// client is the program that sent the request. Its kind is one of the client types, 0 for none.
type client struct {
	kind                        int64
	name, code, version, engine string // code and engine: browsers only
}

// findClient asks the files in device-detector's order (tracker-spec §10.3, step 3).
func (d *detection) findClient() (client, error) {
	for _, kind := range [...]int64{clientFeedReader, clientMobileApp, clientMediaPlayer, clientPIM} {
		if c := d.clientOfKind(kind); c.kind != 0 {
			return c, nil
		}
	}
	browser, err := d.findBrowser()
	if err != nil || browser.kind != 0 {
		return browser, err
	}
	return d.clientOfKind(clientLibrary), nil
}

func (d *detection) clientOfKind(kind int64) client {
	rules := d.rules.clients[kind]
	var c client
	if id, groups, ok := d.subject.First(rules.from, rules.to); ok {
		rule := &rules.rules[id-rules.from]
		c = client{kind: kind, name: expand(rule.name, groups), version: buildVersion(rule.version, groups)}
	}
	if kind != clientMobileApp {
		return c
	}
	if name := d.rules.appNames[d.hints.app]; name != "" && name != c.name {
		c.name, c.version = name, ""
	}
	if php.EmptyString(c.name) {
		return client{}
	}
	c.kind = kind
	return c
}

// safariChrome is what a user agent says that comes from Chromium's engine.
var safariChrome = regexp.MustCompile(`(?i:chrome)/.+ [sS](?i:afari)/537.36`)

// findBrowser combines what client hints and user agent say. The error is a *HintsError.
func (d *detection) findBrowser() (client, error) {
	hint, err := d.browserFromHints()
	if err != nil {
		return client{}, err
	}
	agent := d.browserFromAgent()
	b := agent
	if !php.EmptyString(hint.name) && !php.EmptyString(hint.version) {
		b = d.mergeBrowsers(hint, agent)
	}
	if name := d.rules.browserApps[d.hints.app]; name != "" && name != b.name {
		found, _ := d.tables.browsers.find(name)
		b.name, b.code, b.version = name, found.code, ""
		if safariChrome.MatchString(d.ua) {
			b.engine = "Blink"
		}
	}
	if php.EmptyString(b.name) {
		return client{}, nil
	}
	if b.name == "Every Browser" {
		b.engine = "Blink"
	}
	b.kind = clientBrowser
	return b, nil
}

// mergeBrowsers prefers the hint. The engine is known only where the user agent tells of the same browser or its family.
func (d *detection) mergeBrowsers(hint, agent client) client {
	b := hint
	if len(b.version) >= 4 && strings.HasPrefix(b.version, "202") && '0' <= b.version[3] && b.version[3] <= '4' {
		b.name, b.code = "Iridium", "I1"
	}
	if strings.HasPrefix(b.version, "15") && strings.HasPrefix(agent.version, "114") {
		b.name, b.code, b.engine = "360 Secure Browser", "3B", agent.engine
	}
	switch b.name {
	case "Atom", "Huawei Browser":
		b.version = agent.version
	case "DuckDuckGo Privacy Browser":
		b.version = ""
	case "Vewd Browser":
		b.engine = agent.engine
	case "Chromium":
		if !php.EmptyString(agent.name) && agent.name != "Chromium" {
			b.name, b.code, b.version = agent.name, agent.code, agent.version
		}
	}
	if b.name+" Mobile" == agent.name {
		b.name, b.code = agent.name, agent.code
	}
	if b.name != agent.name {
		if d.tables.browserFamily(b.name) == d.tables.browserFamily(agent.name) {
			b.engine = agent.engine
		}
		return b
	}
	b.engine = agent.engine
	if !php.EmptyString(agent.version) && strings.HasPrefix(agent.version, b.version) && php.VersionCompare(b.version, agent.version) < 0 {
		b.version = agent.version
	}
	return b
}

// browserFromHints takes the first brand that is a browser of its own; Chromium and Edge count when nothing better follows.
func (d *detection) browserFromHints() (client, error) {
	var b client
	if len(d.hints.brands) == 0 {
		return b, nil
	}
	version := php.String("")
	for _, brand := range d.hints.brands {
		if brand.integer {
			return b, &HintsError{"brand"}
		}
		name := brand.name
		if mapped, ok := d.tables.browserHints[php.ToLower(name)]; ok {
			name = mapped
		}
		if found, ok := d.tables.browsers.findLoose(name, " Browser"); ok {
			b.name, b.code, version = found.name, found.code, brand.version
		}
		if b.name != "" && b.name != "Chromium" && b.name != "Microsoft Edge" {
			break
		}
	}
	if !php.EmptyString(d.hints.fullVersion) {
		version = php.String(d.hints.fullVersion)
	}
	if !version.IsString() {
		return b, &HintsError{"version"}
	}
	b.version = buildVersion(version.Str(), nil)
	return b, nil
}

func (d *detection) browserFromAgent() client {
	rules := &d.rules.browsers
	id, groups, ok := d.subject.First(rules.from, rules.to)
	if !ok {
		return client{}
	}
	rule := &rules.rules[id-rules.from]
	b := client{name: expand(rule.name, groups), version: buildVersion(rule.version, groups)}
	found, _ := d.tables.browsers.find(b.name)
	b.code = found.code
	b.engine = d.findEngine(rule, b.version)
	return b
}

// findEngine is the engine that a browser of this version has, else the one that the user agent names.
func (d *detection) findEngine(rule *browserRule, version string) string {
	engine := rule.engine
	for _, from := range rule.engines {
		if php.VersionCompare(version, from.version) >= 0 {
			engine = from.engine
		}
	}
	if !php.EmptyString(engine) {
		return engine
	}
	rules := &d.rules.engines
	id, groups, ok := d.subject.First(rules.from, rules.to)
	if !ok {
		return ""
	}
	engine = expand(rules.rules[id-rules.from].name, groups)
	if known, ok := d.tables.engines[php.ToLower(engine)]; ok {
		return known
	}
	return engine
}
