package referrer

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Source is where a list comes from: the value of the row of table option (matomo.General.SearchEngines, Socials or
// Assistants) or, when that is "", the content of the YAML file of the installation (spec §7.6a).
type Source struct {
	Option string // base64 of a PHP-serialized array
	YAML   []byte
}

// engine is one entry of the list of search engines.
type engine struct {
	name     string
	params   []keywordParam
	hidden   []hiddenKeyword
	charsets []string
}

// keywordParam says where the keyword is: in a parameter of the query or in what a pattern finds in the URL.
type keywordParam struct {
	name             string
	isPattern        bool
	pattern          *php.Regexp // nil for a pattern that does not compile: it never matches
	further, leading string      // "&name=" and "?name=": what the query contains when the parameter is there
}

// hiddenKeyword is a path with query that belongs to a search even though there is no keyword.
type hiddenKeyword struct {
	text      string
	isPattern bool
	pattern   *php.Regexp
}

func (h hiddenKeyword) matches(path string) bool {
	if h.isPattern {
		return h.pattern != nil && h.pattern.Match(path)
	}
	return php.LooseEqualStrings(h.text, path)
}

func (s Source) engines() (map[string]*engine, error) {
	var engines map[string]*engine
	var err error
	if s.Option != "" {
		engines, err = enginesOfOption(s.Option)
	} else {
		engines, err = enginesOfYAML(s.YAML)
	}
	if err != nil {
		return nil, fmt.Errorf("search engines: %w", err)
	}
	return engines, nil
}

func (s Source) socials() (socials, error) {
	var list []domain
	var err error
	if s.Option != "" {
		list, err = domainsOfOption(s.Option)
	} else {
		list, err = domainsOfYAML(s.YAML)
	}
	if err != nil {
		return socials{}, fmt.Errorf("social networks: %w", err)
	}
	return compileSocials(list), nil
}

// assistants reads the list of AI assistants. One that is broken in table option, or a file that is not there, names
// none (spec §V2.2.2).
func (s Source) assistants() (assistants, error) {
	if s.Option != "" {
		domains, _ := domainsOfOption(s.Option)
		return domains, nil
	}
	if len(s.YAML) == 0 {
		return nil, nil
	}
	domains, err := domainsOfYAML(s.YAML)
	if err != nil {
		return nil, fmt.Errorf("AI assistants: %w", err)
	}
	return domains, nil
}

// enginesOfYAML reads name -> list of {urls, params, …}. A URL given twice belongs to the later engine.
func enginesOfYAML(data []byte) (map[string]*engine, error) {
	engines := make(map[string]*engine)
	err := eachYAMLEntry(data, func(name string, value *yaml.Node) error {
		var groups []struct {
			URLs     []string `yaml:"urls"`
			Params   []string `yaml:"params"`
			Hidden   []string `yaml:"hiddenkeyword"`
			Charsets []string `yaml:"charsets"`
		}
		if err := value.Decode(&groups); err != nil {
			return err
		}
		for _, g := range groups {
			e := newEngine(name, g.Params, g.Hidden, g.Charsets)
			for _, url := range g.URLs {
				engines[url] = e
			}
		}
		return nil
	})
	return engines, err
}

// domainsOfYAML reads name -> list of domains.
func domainsOfYAML(data []byte) ([]domain, error) {
	var list domains
	err := eachYAMLEntry(data, func(name string, value *yaml.Node) error {
		var texts []string
		if err := value.Decode(&texts); err != nil {
			return err
		}
		for _, text := range texts {
			list.add(text, name)
		}
		return nil
	})
	return list, err
}

// eachYAMLEntry goes through the mapping that a document consists of, in its order. Entries that hold no list are left
// out.
func eachYAMLEntry(data []byte, do func(name string, value *yaml.Node) error) error {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return err
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return errors.New("no mapping of names to entries")
	}
	pairs := document.Content[0].Content
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1].Kind != yaml.SequenceNode {
			continue
		}
		if err := do(pairs[i].Value, pairs[i+1]); err != nil {
			return fmt.Errorf("%s: %w", pairs[i].Value, err)
		}
	}
	return nil
}

// enginesOfOption reads url -> {name, params, …}.
func enginesOfOption(value string) (map[string]*engine, error) {
	list, err := unserializeOption(value)
	if err != nil {
		return nil, err
	}
	engines := make(map[string]*engine, list.Len())
	for url, v := range list.All() {
		d := v.Array()
		engines[url] = newEngine(php.ToString(d.Value("name")), texts(d, "params"), texts(d, "hiddenkeyword"),
			texts(d, "charsets"))
	}
	return engines, nil
}

// domainsOfOption reads domain -> name.
func domainsOfOption(value string) ([]domain, error) {
	names, err := unserializeOption(value)
	if err != nil {
		return nil, err
	}
	var list domains
	for text, name := range names.All() {
		list.add(text, php.ToString(name))
	}
	return list, nil
}

func unserializeOption(value string) (*php.Array, error) {
	v, err := php.Unserialize(php.Base64Decode(value))
	if err != nil {
		return nil, err
	}
	if !v.IsArray() {
		return nil, errors.New("serialized value is no array")
	}
	return v.Array(), nil
}

func texts(a *php.Array, key string) []string {
	list := a.Value(key).Array()
	all := make([]string, 0, list.Len())
	for _, v := range list.All() {
		all = append(all, php.ToString(v))
	}
	return all
}

// defaultHidden stands for an engine without a list of its own: its start page is a search without keyword.
var defaultHidden = []string{"/^$/", "/"}

func newEngine(name string, params, hidden, charsets []string) *engine {
	e := &engine{name: name, charsets: charsets}
	for _, p := range params {
		param := keywordParam{name: p, further: "&" + p + "=", leading: "?" + p + "="}
		if strings.HasPrefix(p, "/") {
			param.isPattern, param.pattern = true, compilePattern(p)
		}
		e.params = append(e.params, param)
	}
	if len(hidden) == 0 {
		hidden = defaultHidden
	}
	for _, text := range hidden {
		h := hiddenKeyword{text: text}
		if len(text) > 1 && strings.HasPrefix(text, "/") && strings.HasSuffix(text, "/") {
			h.isPattern, h.pattern = true, compilePattern(text)
		}
		e.hidden = append(e.hidden, h)
	}
	return e
}

func compilePattern(literal string) *php.Regexp {
	re, err := php.CompileLiteral(literal)
	if err != nil {
		return nil
	}
	return re
}
