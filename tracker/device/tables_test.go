package device_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/device"
)

// factTables are the tables of facts in the form in which they are read, "" or nil for what a release does not have.
func factTables(s set) *device.RawTables {
	table := func(name string) *php.Array {
		v, ok := s.own.Get(name)
		if !ok {
			v, _ = s.base.Get(name)
		}
		return v.Array()
	}
	lines := func(name string) (out []string) {
		for code, v := range table(name).All() {
			out = append(out, code+" "+php.ToString(v))
		}
		return out
	}
	list := func(v *php.Array) (out []string) {
		for _, item := range v.All() {
			out = append(out, item.Str())
		}
		return out
	}
	pairs := func(name string) map[string]string {
		out := map[string]string{}
		for key, v := range table(name).All() {
			out[key] = v.Str()
		}
		return out
	}
	hints := func(name string) map[string]string {
		out := map[string]string{}
		for name, v := range table(name).All() {
			for _, hint := range list(v.Array()) {
				out[hint] = name
			}
		}
		return out
	}
	raw := &device.RawTables{
		OperatingSystems: lines("operating_systems"), DesktopFamilies: list(table("os_desktopOsArray")),
		OSHints: hints("os_clientHintMapping"),
		FireOS:  pairs("os_fireOsVersionMapping"), LineageOS: pairs("os_lineageOsVersionMapping"),
		Browsers:       lines("browsers"),
		MobileBrowsers: list(table("browser_mobileOnlyBrowsers")), BrowserHints: hints("browser_clientHintMapping"),
		Engines: list(table("browser_engines")), DeviceTypes: make([]string, table("device_types").Len()),
		FormFactors: lines("device_clientHintFormFactorsMapping"), Brands: lines("device_brands"),
		LegacyBrands: lines("device_legacyShortNames"),
	}
	for name, number := range table("device_types").All() {
		raw.DeviceTypes[number.Int()] = name
	}
	for name, v := range table("os_families").All() {
		raw.OSFamilies = append(raw.OSFamilies, device.Family{Name: name, Codes: strings.Join(list(v.Array()), " ")})
	}
	for name, v := range table("browser_families").All() {
		raw.BrowserFamilies = append(raw.BrowserFamilies, device.Family{
			Name:  name,
			Codes: strings.Join(list(v.Array()), " "),
		})
	}
	return raw
}

// TestTablesAreReadFromPHP reads, for every release, PHP files that were written from its tables, in the style of the
// real ones.
func TestTablesAreReadFromPHP(t *testing.T) {
	for _, s := range sharedSets(t) {
		got, problems := device.TablesOf(s.folder)
		if s.version == "6.3.2" { // its recording lacks three tables
			if len(problems) != 3 {
				t.Errorf("%s: %v", s.version, problems)
			}
			got.FireOS, got.LineageOS = map[string]string{}, map[string]string{}
		} else if len(problems) > 0 {
			t.Errorf("%s: %v", s.version, problems)
		}
		compareTables(t, s.version, got, factTables(s), nil)
	}
}

// TestBuiltInTablesAreThoseOfTheirReleases compares what is built in. Of the older release the order of codes is
// another one, which shows only where names are equal without regard to case and blanks.
func TestBuiltInTablesAreThoseOfTheirReleases(t *testing.T) {
	for _, s := range sharedSets(t)[:2] {
		got, err := device.BuiltIn(s.version)
		if err != nil {
			t.Fatal(err)
		}
		want := factTables(s)
		if s.version == "6.3.2" {
			want.FireOS, want.LineageOS, want.Engines = got.FireOS, got.LineageOS, got.Engines
		}
		compareTables(t, s.version, got, want, func(lines []string) map[string]string {
			codes := map[string]string{}
			for _, line := range lines {
				code, name, _ := strings.Cut(line, " ")
				for _, form := range []string{name, strings.ToLower(name), strings.ReplaceAll(strings.ToLower(name), " ", "")} {
					if _, known := codes[form]; !known {
						codes[form] = code
					}
				}
			}
			return codes
		})
	}
}

// compareTables compares field by field; loose, if it is given, says what counts of lists of codes.
func compareTables(t *testing.T, version string, got, want *device.RawTables, loose func([]string) map[string]string) {
	t.Helper()
	g, w := reflect.ValueOf(*got), reflect.ValueOf(*want)
	for i := range g.NumField() {
		name := g.Type().Field(i).Name
		have, wanted := g.Field(i).Interface(), w.Field(i).Interface()
		if lines, ok := have.([]string); ok && loose != nil {
			have, wanted = loose(lines), loose(wanted.([]string))
		}
		if g.Field(i).Len() == 0 && w.Field(i).Len() == 0 {
			continue
		}
		if !reflect.DeepEqual(have, wanted) {
			t.Errorf("%s: %s\n got %.400v\nwant %.400v", version, name, have, wanted)
		}
	}
}

// TestMarksOfReleases says that each release is told by codes that no earlier one has.
func TestMarksOfReleases(t *testing.T) {
	sets := sharedSets(t)
	slices.SortFunc(sets, func(a, b set) int { return php.VersionCompare(a.version, b.version) })
	for _, m := range device.AllMarks() {
		for _, s := range sets {
			raw := factTables(s)
			since := m.Version[0] == '6' && php.VersionCompare(s.version, m.Version) >= 0
			for code, lines := range map[string][]string{
				m.System: raw.OperatingSystems, m.Browser: raw.Browsers,
				m.Brand: raw.Brands,
			} {
				if has := code == "" ||
					slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, code+" ") }); has != since &&
					code != "" {
					t.Errorf("%s has code %s: %v, a mark of %s", s.version, code, has, m.Version)
				}
			}
		}
	}
}

// FuzzTables reads any text in the place of a PHP file.
func FuzzTables(f *testing.F) {
	files := phpFiles(f, "6.5.1", `{}`)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f.Add(name, string(files[name].Data))
	}
	f.Fuzz(func(t *testing.T, name, source string) {
		changed := maps.Clone(files)
		if _, known := changed[name]; !known {
			t.Skip()
		}
		changed[name] = &fstest.MapFile{Data: []byte(source)}
		raw, _ := device.TablesOf(changed)
		if len(raw.DeviceTypes) > 256 {
			t.Errorf("%d types", len(raw.DeviceTypes))
		}
	})
}
