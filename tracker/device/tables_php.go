package device

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/phpsource"
)

// phpFolder reads what device-detector keeps in its code from the PHP files of an installation.
type phpFolder struct {
	folder   fs.FS
	files    map[string]*phpsource.File // nil for a file that cannot be read
	problems []string                   // what could not be read, and why
	failed   map[string]bool            // the properties among them
}

func newPHPFolder(folder fs.FS) *phpFolder {
	return &phpFolder{folder: folder, files: map[string]*phpsource.File{}, failed: map[string]bool{}}
}

// version is the constant VERSION, "" when it cannot be read.
func (p *phpFolder) version() string {
	const name = "DeviceDetector.php"
	f := p.file(name)
	if f == nil {
		return ""
	}
	v, err := f.Constant("VERSION")
	if err == nil && !looksLikeVersion(v.Str()) {
		err = fmt.Errorf("%s: VERSION: %q is no version", name, php.ToString(v))
	}
	if err != nil {
		p.problems = append(p.problems, err.Error())
		return ""
	}
	return v.Str()
}

func looksLikeVersion(s string) bool {
	return s != "" && len(s) < 50 && '0' <= s[0] && s[0] <= '9' && strings.Contains(s, ".")
}

// file is nil when a file is not there or cannot be read, which is noted once.
func (p *phpFolder) file(name string) *phpsource.File {
	f, known := p.files[name]
	if known {
		return f
	}
	f, err := phpsource.Read(p.folder, name)
	if err != nil {
		f = nil
		p.problems = append(p.problems, err.Error())
	}
	p.files[name] = f
	return f
}

// readTables puts all tables that can be read in the place of those of raw. A release with the facts f has those
// without a question mark.
func (p *phpFolder) readTables(raw *rawTables, f *facts) {
	const system, browser = "Parser/OperatingSystem.php", "Parser/Client/Browser.php"
	readTable(p, system, "operatingSystems", codeLines, &raw.OperatingSystems)
	readTable(p, system, "osFamilies", familyList, &raw.OSFamilies)
	readTable(p, system, "desktopOsArray", texts, &raw.DesktopFamilies)
	readTable(p, system, "clientHintMapping", hintMap, &raw.OSHints)
	if f.appSystems { // before, the code of a method had them
		readTable(p, system, "fireOsVersionMapping", textMap, &raw.FireOS)
		readTable(p, system, "lineageOsVersionMapping", textMap, &raw.LineageOS)
	}
	readTable(p, browser, "availableBrowsers", codeLines, &raw.Browsers)
	readTable(p, browser, "browserFamilies", familyList, &raw.BrowserFamilies)
	readTable(p, browser, "mobileOnlyBrowsers", texts, &raw.MobileBrowsers)
	readTable(p, browser, "clientHintMapping", hintMap, &raw.BrowserHints)
	readTable(p, "Parser/Client/Browser/Engine.php", "availableEngines", texts, &raw.Engines)
	const device = "Parser/Device/AbstractDeviceParser.php"
	readTable(p, device, "deviceTypes", typeNames, &raw.DeviceTypes)
	readTable(p, device, "deviceBrands", codeLines, &raw.Brands)
	if p.file(device) != nil {
		raw.FormFactors, raw.LegacyBrands = nil, nil
		readTable(p, device, "clientHintFormFactorsMapping?", codeLines, &raw.FormFactors)
		readTable(p, device, "legacyShortNames?", codeLines, &raw.LegacyBrands)
	}
}

// readTable converts a property. A name with ? may be absent.
func readTable[T any](p *phpFolder, file, name string, convert func(*php.Array) (T, error), into *T) {
	property, optional := strings.CutSuffix(name, "?")
	f := p.file(file)
	if f == nil {
		p.failed[property] = true
		return
	}
	v, err := f.Property(property)
	if optional && errors.Is(err, phpsource.ErrAbsent) {
		return
	}
	if err == nil && v.Array().Len() == 0 {
		err = fmt.Errorf("%s: $%s: no array, or an empty one", file, property)
	}
	if err == nil {
		var converted T
		if converted, err = convert(v.Array()); err == nil {
			*into = converted
			return
		}
		err = fmt.Errorf("%s: $%s: %w", file, property, err)
	}
	p.failed[property] = true
	p.problems = append(p.problems, err.Error())
}

// text is the text form of an entry.
func text(v php.Value) (string, error) {
	switch v.Kind() {
	case php.KindString, php.KindInt:
		return php.ToString(v), nil
	}
	return "", errors.New("an entry is no text")
}

// codeLines are the entries of an array as lines "code name".
func codeLines(a *php.Array) ([]string, error) {
	lines := make([]string, 0, a.Len())
	for code, v := range a.All() {
		name, err := text(v)
		if err != nil {
			return nil, err
		}
		if code == "" || strings.Contains(code, " ") {
			return nil, fmt.Errorf("%q is no code", code)
		}
		lines = append(lines, code+" "+name)
	}
	return lines, nil
}

func texts(a *php.Array) ([]string, error) {
	list := make([]string, 0, a.Len())
	for _, v := range a.All() {
		s, err := text(v)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func textMap(a *php.Array) (map[string]string, error) {
	m := make(map[string]string, a.Len())
	for key, v := range a.All() {
		s, err := text(v)
		if err != nil {
			return nil, err
		}
		m[key] = s
	}
	return m, nil
}

func familyList(a *php.Array) ([]family, error) {
	families := make([]family, 0, a.Len())
	for name, v := range a.All() {
		codes, err := texts(v.Array())
		if err != nil {
			return nil, err
		}
		families = append(families, family{name, strings.Join(codes, " ")})
	}
	return families, nil
}

// hintMap turns a map of names to hints around. A hint that is there twice is that of the first name.
func hintMap(a *php.Array) (map[string]string, error) {
	m := map[string]string{}
	for name, v := range a.All() {
		hints, err := texts(v.Array())
		if err != nil {
			return nil, err
		}
		for _, hint := range hints {
			if _, known := m[hint]; !known {
				m[hint] = name
			}
		}
	}
	return m, nil
}

// typeNames are the names of device types by their numbers.
func typeNames(a *php.Array) ([]string, error) {
	const maxTypes = 256
	var names []string
	for name, v := range a.All() {
		number := v.Int()
		if v.Kind() != php.KindInt || number < 0 || number >= maxTypes {
			return nil, fmt.Errorf("type %q has no number from 0 to %d", name, maxTypes-1)
		}
		for int64(len(names)) <= number {
			names = append(names, "")
		}
		if names[number] == "" {
			names[number] = name
		}
	}
	return names, nil
}
