package device

import (
	"regexp"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// client is the program that sent the request. Its kind is one of the client types, 0 for none.
type client struct {
	kind                        int64
	name, code, version, engine string // code and engine: browsers only

	brandEngine php.Value // version of the engine that the brands of the hints name, null for none
}

// findClient asks the files in device-detector's order (spec §10.3, step 3).
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
		if b, err = d.mergeBrowsers(hint, agent); err != nil {
			return client{}, err
		}
	}
	if name := d.rules.browserApps[d.hints.app]; name != "" && name != b.name {
		found, _ := d.tables.browsers.find(name)
		b.name, b.code, b.version = name, found.code, ""
		if safariChrome.MatchString(d.ua) {
			b.engine = "Blink"
		}
	}
	tester := strings.Contains(d.ua, "Cypress") || strings.Contains(d.ua, "PhantomJS")
	if php.EmptyString(b.name) || tester && d.facts.testersAreNoClient {
		return client{}, nil
	}
	if b.name == "Every Browser" && d.facts.everyBrowserEngine ||
		b.name == "TV-Browser Internet" && b.engine == "Gecko" && d.facts.tvBrowserIsBlink {
		b.engine = "Blink"
	}
	b.kind = clientBrowser
	return b, nil
}

// mergeBrowsers prefers the hint. The engine is known where the user agent tells of the same browser or its family, or
// a brand names it. The error is a *HintsError.
func (d *detection) mergeBrowsers(hint, agent client) (client, error) {
	b := hint
	if d.facts.iridium.MatchString(b.version) {
		b.name, b.code = "Iridium", "I1"
		if d.facts.iridiumEngine {
			b.engine = agent.engine
		}
	}
	if d.facts.browser360 && strings.HasPrefix(b.version, "15") && strings.HasPrefix(agent.version, "114") {
		b.name, b.code, b.engine = "360 Secure Browser", "3B", agent.engine
	}
	if d.facts.versionFromAgent[b.code] && (d.facts.versionAlways || !php.EmptyString(agent.version)) {
		b.version = agent.version
	}
	const duck = "DuckDuckGo Privacy Browser"
	if b.name == duck && d.facts.detailByName && !d.facts.duckVersion {
		b.version = ""
	}
	if b.name == "Vewd Browser" && d.facts.vewdEngine {
		b.engine = agent.engine
	}
	refused := b.name != "Iridium" && b.engine == "Blink" && agent.engine == "Blink" // versions of engines are compared
	if d.facts.chromiumHints[b.name] && !php.EmptyString(agent.name) && !d.facts.chromiumAgents[agent.code] {
		b.name, b.code = agent.name, agent.code
		if !d.facts.chromiumVersion || php.StringToInt(agent.version) != php.StringToInt(b.version) ||
			php.VersionCompare(b.version, agent.version) <= 0 {
			b.version = agent.version
		}
	}
	if b.name+" Mobile" == agent.name {
		b.name, b.code = agent.name, agent.code
	}
	if b.name == agent.name || d.tables.browserFamily(b.name) == d.tables.browserFamily(agent.name) {
		b.engine = agent.engine
	}
	if (b.name == agent.name || !d.facts.detailByName) && !php.EmptyString(agent.version) &&
		strings.HasPrefix(agent.version, b.version) && php.VersionCompare(b.version, agent.version) < 0 {
		b.version = agent.version
	}
	if b.name == duck && !d.facts.detailByName {
		b.version = ""
	}
	refused = refused || b.name != "Iridium" && b.engine == "Blink"
	if refused && !hint.brandEngine.IsString() {
		return client{}, &HintsError{"version"}
	}
	return b, nil
}

// browserFromHints takes the first brand that is a browser of its own; Chromium and Edge count when nothing better
// follows.
func (d *detection) browserFromHints() (client, error) {
	b := client{brandEngine: php.String("")}
	if len(d.hints.brands) == 0 {
		return b, nil
	}
	d.engineOfBrands(&b)
	version := php.String("")
	for _, brand := range d.hints.brands {
		if brand.integer {
			return b, &HintsError{"brand"}
		}
		name := brand.name
		if mapped, ok := d.tables.browserHints[php.ToLower(name)]; ok {
			name = mapped
		}
		found, ok := d.tables.browsers.findLoose(name, " Browser")
		goesOn := b.name == "Chrome" && d.facts.chromeGoesOn
		if ok && !(goesOn && found.name == "Chromium") {
			b.name, b.code, version = found.name, found.code, brand.version
			goesOn = b.name == "Chrome" && d.facts.chromeGoesOn
		}
		goesOn = goesOn || b.name == "Microsoft Edge" && d.facts.edgeGoesOn
		if b.name != "" && b.name != "Chromium" && !goesOn {
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

// engineOfBrands looks for the brands that name the engine.
func (d *detection) engineOfBrands(b *client) {
	if !d.facts.engineFromBrands {
		return
	}
	for _, name := range [...]string{"Android WebView", "Chromium"} {
		at := slices.IndexFunc(d.hints.brands, func(brand brandHint) bool { return brand.name == name })
		if at >= 0 {
			b.engine, b.brandEngine = "Blink", d.hints.brands[at].version
			return
		}
	}
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
