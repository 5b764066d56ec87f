package location

import "testing"

const regionFile = `<?php

// a comment
return array (
  'DE' =>
  array (
    'BE' =>
    array (
      'name' => 'Berlin',
      'altNames' =>
      array (
        0 => 'Land Berlin',
      ),
      'current' => true,
    ),
    'NI' => ['name' => 'Niedersachsen', 'altNames' => ['Lower Saxony', 'N\'s \\ \x'], 'current' => false], # short form
  ),
  'CI' => array('01' => array('name' => 'Côte d’Ivoire–Łódź ß Æ', 'altNames' => array()), 7 => array('name' => '中')),
);
`

func TestRegionsAreFoundByName(t *testing.T) {
	regions, err := parseRegionNames(regionFile, byIconv)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ country, name, want string }{
		{"DE", "Berlin", "BE"},
		{"DE", "LAND BERLIN", "BE"},
		{"DE", "lower saxony", "NI"},
		{"DE", `N's \ \x`, "NI"},
		{"DE", "Bërlin", "BE"},
		{"CI", "cote d'ivoire-lodz SS ae", "01"},
		{"CI", "文", "7"},
		{"DE", "Bavaria", ""},
		{"FR", "Berlin", ""},
		{"DE", "", ""},
	} {
		if got := regions.code(tt.country, tt.name); got != tt.want {
			t.Errorf("%s %q: %q", tt.country, tt.name, got)
		}
	}
}

// TestTransliteratedRegions shows both sides of the version that began to ask PHP's intl.
func TestTransliteratedRegions(t *testing.T) {
	const list = `<?php return ['AZ' => ['BAB' => ['name' => 'Babək', 'altNames' => []]], 'MT' => ['68' => ['name' => 'Ȥebbuġ']]];`
	for _, tt := range []struct{ country, name, iconv, icu string }{
		{"MT", "Zebbug", "", "68"},
		{"MT", "ȥEBBUG", "68", "68"},
		{"AZ", "Babǝk", "BAB", ""}, // another letter, which iconv does not know either
		{"AZ", "BABəK", "BAB", "BAB"},
		{"AZ", "Babek", "", ""},
	} {
		for _, side := range []struct {
			name string
			fold func(string) string
			want string
		}{{"iconv", byIconv, tt.iconv}, {"ICU", byICU, tt.icu}} {
			regions, err := parseRegionNames(list, side.fold)
			if err != nil {
				t.Fatal(err)
			}
			if got := regions.code(tt.country, tt.name); got != side.want {
				t.Errorf("%s, %s %q: %q, want %q", side.name, tt.country, tt.name, got, side.want)
			}
		}
	}
}

// TestLatinASCII compares with what uconv -x 'Any-Latin; Latin-ASCII' of ICU 72 writes, in lower case.
func TestLatinASCII(t *testing.T) {
	for in, want := range map[string]string{
		"Provence-Alpes-Côte d’Azur": "provence-alpes-cote d'azur",
		"Ħ’Attard Æ œ ß Þ đ Ł ı":     "h'attard ae oe ss th d l i",
		"Thừa Thiên-Huế":             "thua thien-hue",
		"Şəki ǝ":                     "səki ǝ",
		"Ra’s al Khaymah ʼ ʻ ʾ †":    "ra's al khaymah ' ' ʾ †",
		"½ – «x» ©":                  " 1/2 - <<x>> (c)",
		"≠ 5\u0301 \u0301":           "≠ 5 \u0301",
	} {
		if got := byICU(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLettersAreTransliterated(t *testing.T) {
	if got := byIconv("ŒœØøĐđÐðŁłĦħÞþı‘ʻ‐—\u00a0Ž"); got != "oeoeooddddllhhththi''-- z" {
		t.Error(got)
	}
}

func TestRegionFileOfOtherForm(t *testing.T) {
	for _, source := range []string{
		"", "<?php", "<?php return", "<?php return 1", "<?php return array", "<?php return array(", "<?php return ['a' => ]", "<?php return ['a",
		"<?php return ['a' 'b']", "<?php return [1 => strlen('x')]", "<?php return []", "<?php return [['name' => 'x'],, ]",
	} {
		if regions, err := parseRegionNames(source, byIconv); err == nil {
			t.Errorf("%q: %v", source, regions)
		}
	}
}
