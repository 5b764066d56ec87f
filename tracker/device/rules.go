package device

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/queuedtracking/queuedtracking/tracker/device/pattern"
)

// span is a run of patterns in the index: those of one file, in its order.
type span struct{ from, to int }

// Client types as config_client_type stores them.
const (
	clientBrowser     = 1
	clientLibrary     = 2
	clientFeedReader  = 3
	clientMediaPlayer = 4
	clientMobileApp   = 5
	clientPIM         = 6
)

// rules are the data files, and the fixed checks that device-detector has in its code.
type rules struct {
	index    pattern.Index
	checks   checks
	bots     span
	systems  systemRules
	clients  map[int64]clientRules // all types but the browsers
	browsers browserRules
	engines  clientRules
	vendors  vendorRules
	devices  [deviceFiles]deviceRules

	appNames, browserApps map[string]string // app id -> name
}

type systemRules struct {
	span
	rules []systemRule
}

type systemRule struct {
	name     string
	version  string
	versions []systemVersion
}

// systemVersion refines an operating system; nil leaves what is known.
type systemVersion struct {
	pattern       *pattern.Pattern
	name, version *string
}

type clientRules struct {
	span
	rules []clientRule
}

type clientRule struct{ name, version string }

type browserRules struct {
	span
	rules []browserRule
}

type browserRule struct {
	clientRule
	engine  string
	engines []engineFrom
}

// engineFrom is the engine of a browser from a version on.
type engineFrom struct{ version, engine string }

type vendorRules struct {
	span
	brands []string
}

// The device files in the order in which they are tried.
const (
	deviceHbbTV = iota
	deviceShellTV
	deviceNotebook
	deviceConsole
	deviceCar
	deviceCamera
	devicePlayer
	deviceMobile
	deviceFiles
)

type deviceRules struct {
	span
	brands []brandRule
}

type brandRule struct {
	brand, device, model string
	models               []modelRule
}

type modelRule struct {
	pattern              *pattern.Pattern
	brand, device, model string
}

// loader reads the files and keeps the first error.
type loader struct {
	files fs.FS
	facts *facts
	rules *rules
	file  string
	err   error
}

func loadRules(files fs.FS, f *facts) (*rules, error) {
	l := &loader{files: files, facts: f, rules: &rules{clients: map[int64]clientRules{}}}
	r := l.rules
	r.checks = l.checks()
	r.bots = l.span(l.open("bots.yml"))
	r.systems = l.systems()
	for _, c := range []struct {
		kind int64
		file string
	}{
		{clientFeedReader, "client/feed_readers.yml"},
		{clientMobileApp, "client/mobile_apps.yml"},
		{clientMediaPlayer, "client/mediaplayers.yml"},
		{clientPIM, "client/pim.yml"},
		{clientLibrary, "client/libraries.yml"},
	} {
		r.clients[c.kind] = l.clients(c.file)
	}
	r.browsers = l.browsers()
	r.engines = l.clients("client/browser_engine.yml")
	r.appNames = l.names("client/hints/apps.yml")
	r.browserApps = l.names("client/hints/browsers.yml")
	r.vendors = l.vendors()
	for i, file := range [deviceFiles]string{
		"televisions", "shell_tv", "notebooks", "consoles", "car_browsers", "cameras", "portable_media_player", "mobiles",
	} {
		r.devices[i] = l.devices("device/" + file + ".yml")
	}
	return r, l.err
}

func (l *loader) open(file string) document {
	if l.err != nil {
		return document{}
	}
	l.file = file
	d, err := readYAML(l.files, file)
	if err != nil {
		l.err = err
	}
	return d
}

// add puts an expression into the index.
func (l *loader) add(expr string, boundary pattern.Boundary) int {
	id, err := l.rules.index.Add(expr, boundary)
	l.note(err)
	return id
}

func (l *loader) pattern(item document) *pattern.Pattern {
	p, err := pattern.New(l.regex(item), pattern.AfterWord)
	l.note(err)
	return p
}

// regex is the expression of an entry. It may be empty, and match everything, but not be absent.
func (l *loader) regex(item document) string {
	expr := item.optional("regex")
	if expr == nil {
		l.note(errors.New("entry without regex"))
		return ""
	}
	return *expr
}

func (l *loader) note(err error) {
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("device patterns: %s: %w", l.file, err)
	}
}

// span indexes the regex of each entry of a list.
func (l *loader) span(list document) span {
	s := span{from: l.rules.index.Len()}
	for _, item := range list.items() {
		l.add(l.regex(item), pattern.AfterWord)
	}
	s.to = l.rules.index.Len()
	return s
}

func (l *loader) clients(file string) clientRules {
	list := l.open(file)
	r := clientRules{span: l.span(list)}
	for _, item := range list.items() {
		r.rules = append(r.rules, clientRule{item.text("name"), item.text("version")})
	}
	return r
}

func (l *loader) browsers() browserRules {
	list := l.open("client/browsers.yml")
	r := browserRules{span: l.span(list)}
	for _, item := range list.items() {
		b := browserRule{clientRule: clientRule{item.text("name"), item.text("version")}}
		engine, _ := item.get("engine")
		b.engine = engine.text("default")
		versions, _ := engine.get("versions")
		for version, name := range versions.pairs {
			b.engines = append(b.engines, engineFrom{version, name.scalar()})
		}
		r.rules = append(r.rules, b)
	}
	return r
}

func (l *loader) systems() systemRules {
	list := l.open("oss.yml")
	r := systemRules{span: l.span(list)}
	for _, item := range list.items() {
		s := systemRule{name: item.text("name"), version: item.text("version")}
		versions, _ := item.get("versions")
		for _, v := range versions.items() {
			s.versions = append(s.versions, systemVersion{l.pattern(v), v.optional("name"), v.optional("version")})
		}
		r.rules = append(r.rules, s)
	}
	return r
}

func (l *loader) names(file string) map[string]string {
	names := map[string]string{}
	for id, name := range l.open(file).pairs {
		names[id] = name.scalar()
	}
	return names
}

func (l *loader) vendors() vendorRules {
	list := l.open("vendorfragments.yml")
	r := vendorRules{span: span{from: l.rules.index.Len()}}
	for brand, fragments := range list.pairs {
		for _, f := range fragments.items() {
			l.add(f.scalar()+"[^a-z0-9]+", pattern.AfterWord)
			r.brands = append(r.brands, brand)
		}
	}
	r.to = l.rules.index.Len()
	return r
}

func (l *loader) devices(file string) deviceRules {
	list := l.open(file)
	r := deviceRules{span: span{from: l.rules.index.Len()}}
	for brand, item := range list.pairs {
		l.add(l.regex(item), pattern.AfterWord)
		b := brandRule{brand: brand, device: item.text("device"), model: item.text("model")}
		models, _ := item.get("models")
		b.models = l.models(models)
		r.brands = append(r.brands, b)
	}
	r.to = l.rules.index.Len()
	return r
}

func (l *loader) models(list document) []modelRule {
	var models []modelRule
	for _, m := range list.items() {
		models = append(models, modelRule{
			pattern: l.pattern(m),
			brand:   m.text("brand"),
			device:  m.text("device"),
			model:   m.text("model"),
		})
	}
	return models
}
