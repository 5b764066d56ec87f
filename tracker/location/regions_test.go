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
	regions, err := parseRegionNames(regionFile)
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

func TestLettersAreTransliterated(t *testing.T) {
	if got := fold("ŒœØøĐđÐðŁłĦħÞþı‘ʻ‐—\u00a0Ž"); got != "oeoeooddddllhhththi''-- z" {
		t.Error(got)
	}
}

func TestRegionFileOfOtherForm(t *testing.T) {
	for _, source := range []string{
		"", "<?php", "<?php return", "<?php return 1", "<?php return array", "<?php return array(", "<?php return ['a' => ]", "<?php return ['a",
		"<?php return ['a' 'b']", "<?php return [1 => strlen('x')]", "<?php return []", "<?php return [['name' => 'x'],, ]",
	} {
		if regions, err := parseRegionNames(source); err == nil {
			t.Errorf("%q: %v", source, regions)
		}
	}
}
