package device

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// rawTables are the facts that device-detector keeps in its code, in its order: codes, families, client hint names.
// Lines are "code name".
type rawTables struct {
	OperatingSystems []string
	OSFamilies       []family
	DesktopFamilies  []string
	OSHints          map[string]string // hint -> name
	FireOS           map[string]string // Android version -> Fire OS version
	LineageOS        map[string]string // Android version -> Lineage OS version
	Browsers         []string
	BrowserFamilies  []family
	MobileBrowsers   []string          // codes
	BrowserHints     map[string]string // hint -> name
	Engines          []string
	DeviceTypes      []string // by number
	FormFactors      []string // "form factor number-of-type", the first that a hint names counts
	Brands           []string
	LegacyBrands     []string // codes of brands that now have another one
}

// family is a name with the codes of its members, separated by spaces.
type family struct {
	Name, Codes string
}

// tables are rawTables made ready for look-ups.
type tables struct {
	systems         *codes
	systemFamilies  map[string]string // by code
	desktopFamilies map[string]bool
	systemHints     map[string]string // lower-cased hint -> name
	browsers        *codes
	browserFamilies map[string]string // by code
	mobileBrowsers  map[string]bool   // by code
	browserHints    map[string]string // lower-cased hint -> name
	engines         map[string]string // lower-cased name -> name
	deviceTypes     []string          // by number
	deviceNumbers   map[string]int64
	formFactors     []formFactor
	brands          *codes
	legacyBrands    *codes
	fireOS          map[string]string // Android version -> Fire OS version
	lineageOS       map[string]string // Android version -> Lineage OS version
}

// formFactor is the device type that a form factor among the client hints stands for.
type formFactor struct {
	name string
	kind int64
}

func newTables(raw *rawTables) *tables {
	t := &tables{
		systems:         newCodes(raw.OperatingSystems),
		systemFamilies:  familyByCode(raw.OSFamilies),
		desktopFamilies: stringSet(raw.DesktopFamilies...),
		systemHints:     lowerKeys(raw.OSHints),
		browsers:        newCodes(raw.Browsers),
		browserFamilies: familyByCode(raw.BrowserFamilies),
		mobileBrowsers:  stringSet(raw.MobileBrowsers...),
		browserHints:    lowerKeys(raw.BrowserHints),
		engines:         map[string]string{},
		deviceTypes:     raw.DeviceTypes,
		deviceNumbers:   map[string]int64{},
		brands:          newCodes(raw.Brands),
		legacyBrands:    newCodes(raw.LegacyBrands),
		fireOS:          raw.FireOS,
		lineageOS:       raw.LineageOS,
	}
	for _, e := range raw.Engines {
		t.engines[php.ToLower(e)] = e
	}
	for i, name := range raw.DeviceTypes {
		if name != "" {
			t.deviceNumbers[name] = int64(i)
		}
	}
	for _, line := range raw.FormFactors {
		name, number, _ := strings.Cut(line, " ")
		t.formFactors = append(t.formFactors, formFactor{name, php.StringToInt(number)})
	}
	return t
}

func stringSet(list ...string) map[string]bool {
	s := make(map[string]bool, len(list))
	addAll(s, list...)
	return s
}

func addAll(set map[string]bool, list ...string) {
	for _, v := range list {
		set[v] = true
	}
}

func lowerKeys(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[php.ToLower(k)] = v
	}
	return out
}

func familyByCode(families []family) map[string]string {
	m := map[string]string{}
	for _, f := range families {
		for _, code := range strings.Fields(f.Codes) {
			if _, known := m[code]; !known {
				m[code] = f.Name
			}
		}
	}
	return m
}

// brandCode is the code of a brand, "" when there is none.
func (t *tables) brandCode(name string) string {
	if code, ok := t.brands.byName[name]; ok {
		return code
	}
	return t.legacyBrands.byName[name]
}

// systemFamily is the family of an operating system given by name or code, "" when there is none.
func (t *tables) systemFamily(label string) string {
	return t.systemFamilies[t.systems.codeOr(label)]
}

// browserFamily is the family of a browser given by name or code, "" when there is none.
func (t *tables) browserFamily(label string) string {
	return t.browserFamilies[t.browsers.codeOr(label)]
}

// mobileBrowser reports whether a browser, given by name, is made for mobile devices only.
func (t *tables) mobileBrowser(name string) bool {
	return t.mobileBrowsers[name] || t.mobileBrowsers[t.browsers.byName[name]]
}

// codes is a table of codes and names. Where names are equal under a comparison, the first in the table counts.
type codes struct {
	list   []coded
	known  map[string]bool   // codes
	byName map[string]string // name -> code
	folded map[string]int    // name in lower case -> position
	loose  map[string]int    // name in lower case without spaces -> position
}

type coded struct{ code, name string }

func newCodes(lines []string) *codes {
	c := &codes{
		list:   make([]coded, len(lines)),
		known:  make(map[string]bool, len(lines)),
		byName: make(map[string]string, len(lines)),
		folded: make(map[string]int, len(lines)),
		loose:  make(map[string]int, len(lines)),
	}
	for i, line := range lines {
		code, name, _ := strings.Cut(line, " ")
		c.list[i] = coded{code, name}
		c.known[code] = true
		if _, known := c.byName[name]; !known {
			c.byName[name] = code
		}
		setFirst(c.folded, php.ToLower(name), i)
		setFirst(c.loose, looseForm(name), i)
	}
	return c
}

func setFirst(m map[string]int, key string, value int) {
	if _, known := m[key]; !known {
		m[key] = value
	}
}

// codeOr is the code of a name, or label itself when it is no name.
func (c *codes) codeOr(label string) string {
	if code, ok := c.byName[label]; ok {
		return code
	}
	return label
}

// find looks a name up without regard to case.
func (c *codes) find(name string) (coded, bool) {
	i, ok := c.folded[php.ToLower(name)]
	if !ok {
		return coded{}, false
	}
	return c.list[i], true
}

// findLoose looks a name up without regard to case and spaces. suffix may be missing at either side of the comparison.
func (c *codes) findLoose(name, suffix string) (coded, bool) {
	form, suffix := looseForm(name), looseForm(suffix)
	best, ok := c.loose[form]
	if suffix != "" {
		if i, found := c.loose[form+suffix]; found && (!ok || i < best) {
			best, ok = i, true
		}
		if short, cut := strings.CutSuffix(form, suffix); cut {
			if i, found := c.loose[short]; found && (!ok || i < best) {
				best, ok = i, true
			}
		}
	}
	if !ok {
		return coded{}, false
	}
	return c.list[best], true
}

// looseForm is how device-detector compares client hints: lower case, no spaces.
func looseForm(s string) string { return strings.ReplaceAll(php.ToLower(s), " ", "") }
