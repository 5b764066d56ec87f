// Package devicetest makes the folder of a device-detector for tests: PHP files in the style of the real ones, written
// from tables of facts, beside data files from anywhere. The repository holds neither.
package devicetest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Folder is vendor/matomo/device-detector with the data files of regexes and the PHP files of php, which may be nil.
func Folder(regexes fs.FS, php fstest.MapFS) fs.FS { return folder{regexes, php} }

type folder struct {
	regexes fs.FS
	php     fstest.MapFS
}

func (f folder) Open(name string) (fs.File, error) {
	if inside, ok := strings.CutPrefix(name, "regexes/"); ok {
		return f.regexes.Open(inside)
	}
	return f.php.Open(name)
}

// Version is a DeviceDetector.php of which nothing but the version can be read: Load takes the built-in tables.
func Version(version string) fstest.MapFS {
	return fstest.MapFS{"DeviceDetector.php": {Data: []byte(detectorPHP(version))}}
}

type property struct{ modifiers, name, table string }

// tableFiles are the properties of the PHP files under their names in the tables of facts.
var tableFiles = []struct {
	file, class string
	properties  []property
}{
	{"Parser/OperatingSystem.php", "OperatingSystem extends AbstractParser", []property{
		{"protected static", "operatingSystems", "operating_systems"},
		{"protected static", "osFamilies", "os_families"},
		{"protected static", "desktopOsArray", "os_desktopOsArray"},
		{"protected static", "clientHintMapping", "os_clientHintMapping"},
		{"private", "fireOsVersionMapping", "os_fireOsVersionMapping"},
		{"private", "lineageOsVersionMapping", "os_lineageOsVersionMapping"},
	}},
	{"Parser/Client/Browser.php", "Browser extends AbstractClientParser", []property{
		{"protected static", "availableBrowsers", "browsers"},
		{"protected static", "browserFamilies", "browser_families"},
		{"protected static", "mobileOnlyBrowsers", "browser_mobileOnlyBrowsers"},
		{"protected static", "clientHintMapping", "browser_clientHintMapping"},
	}},
	{"Parser/Client/Browser/Engine.php", "Engine extends AbstractClientParser", []property{
		{"protected static", "availableEngines", "browser_engines"},
	}},
	{"Parser/Device/AbstractDeviceParser.php", "AbstractDeviceParser extends AbstractParser", []property{
		{"protected static", "deviceTypes", "device_types"},
		{"protected static", "clientHintFormFactorsMapping", "device_clientHintFormFactorsMapping"},
		{"public static", "deviceBrands", "device_brands"},
		{"public static", "legacyShortNames", "device_legacyShortNames"},
	}},
}

// PHP writes the PHP files of a release from tables of facts, of which the first that has a table counts. A table that
// is null, or that none has, is a property that the release does not have.
func PHP(version string, tables ...*php.Array) (fstest.MapFS, error) {
	if len(tables) == 0 {
		return nil, errors.New("no tables")
	}
	files := Version(version)
	for _, f := range tableFiles {
		var b strings.Builder
		fmt.Fprintf(&b, header, strings.ReplaceAll(path.Dir(f.file), "/", `\`), f.class)
		var types *php.Array
		if strings.HasSuffix(f.file, "AbstractDeviceParser.php") {
			types = find(tables, "device_types")
			for name, number := range types.All() {
				fmt.Fprintf(&b, "    public const %s = %s;\n", typeConstant(name), php.ToString(number))
			}
		}
		for _, p := range f.properties {
			table := find(tables, p.table)
			if table == nil {
				continue
			}
			fmt.Fprintf(&b, comment, p.name)
			fmt.Fprintf(&b, "    %s $%s = ", p.modifiers, p.name)
			if p.name == "deviceTypes" || p.name == "clientHintFormFactorsMapping" {
				writeTypes(&b, table, types)
			} else {
				write(&b, table, "    ")
			}
			b.WriteString(";\n")
		}
		b.WriteString(methods)
		files[f.file] = &fstest.MapFile{Data: []byte(b.String())}
	}
	return files, nil
}

func find(tables []*php.Array, name string) *php.Array {
	for _, t := range tables {
		if v, ok := t.Get(name); ok {
			return v.Array()
		}
	}
	return nil
}

const header = `<?php

/**
 * Device Detector - written by a test, in its style; 'quotes' and $variables = [1];
 */

declare(strict_types=1);

namespace DeviceDetector\%s;

use DeviceDetector\{Yaml\Spyc, Cache\StaticCache};

/**
 * Class
 */
abstract class %s
{
    use SomeTrait;

    protected $fixtureFile = 'regexes/oss.yml';
`

const comment = `
    /**
     * $%s = ['not' => "this"]; it's a comment
     *
     * @var array
     */
`

const methods = `
    /**
     * @inheritdoc
     */
    public function parse(array $operatingSystems = ['A' => 'B'], ?string $osFamilies = null): ?array
    {
        static $desktopOsArray = ['not', 'this'];
        $clientHintMapping = [1 => "a {$this->x['}']} b"];

        return match (true) { default => ['x' => fn ($availableBrowsers = []) => $availableBrowsers] };
    }
}
`

func detectorPHP(version string) string {
	return fmt.Sprintf(header, "Detector", "DeviceDetector") +
		"\n    public const VERSION = '" + version + "';\n\n    public const UNKNOWN = 'UNK';\n" + methods
}

func typeConstant(name string) string {
	return "DEVICE_TYPE_" + strings.ToUpper(strings.ReplaceAll(name, " ", "_"))
}

// writeTypes writes the numbers of types as constants.
func writeTypes(b *strings.Builder, table, types *php.Array) {
	b.WriteString("[\n")
	for key, number := range table.All() {
		for name, n := range types.All() {
			if n.Int() == number.Int() {
				fmt.Fprintf(b, "        %s => self::%s,\n", quote(key), typeConstant(name))
				break
			}
		}
	}
	b.WriteString("    ]")
}

func write(b *strings.Builder, table *php.Array, indent string) {
	b.WriteString("[\n")
	list := table.IsList()
	n := 0
	for key, v := range table.All() {
		b.WriteString(indent + "    ")
		if !list {
			b.WriteString(quote(key) + " => ")
		}
		if v.IsArray() {
			write(b, v.Array(), indent+"    ")
		} else {
			b.WriteString(quote(php.ToString(v)))
		}
		b.WriteString(",")
		if n++; n%17 == 0 {
			b.WriteString(" // " + strconv.Itoa(n) + " 'entries'")
		}
		b.WriteString("\n")
	}
	b.WriteString(indent + "]")
}

func quote(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", `\'`) + "'"
}
