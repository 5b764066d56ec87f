package matomo

import (
	"reflect"
	"testing"
)

// TestBehavioursTable keeps the table and the struct together, and each row on both sides of its border.
func TestBehavioursTable(t *testing.T) {
	fields := reflect.TypeOf(Behaviours{})
	seen := make(map[string]bool)
	for _, row := range behaviours {
		if _, ok := fields.FieldByName(row.field); !ok || seen[row.field] {
			t.Errorf("%s: no such field of Behaviours, or twice in the table", row.field)
		}
		seen[row.field] = true
		if row.what == "" || row.section == "" || row.since == "" {
			t.Errorf("%s: a part of the row is missing", row.field)
		}
	}
	for _, field := range reflect.VisibleFields(fields) {
		if !seen[field.Name] {
			t.Errorf("%s is not in the table", field.Name)
		}
	}
}

// TestBehavioursOfVersions looks at both sides of the border of every behaviour that the version alone tells.
func TestBehavioursOfVersions(t *testing.T) {
	for _, row := range behaviours {
		if row.holds != nil {
			continue
		}
		first, ok := ParseVersion(row.since)
		if !ok {
			t.Errorf("%s: since %q", row.field, row.since)
			continue
		}
		before := Version{first.Major, first.Minor - 1, 99}
		for _, side := range []struct {
			version Version
			want    bool
		}{{before, false}, {first, true}} {
			b := BehavioursOf(Found{Version: side.version})
			if got := reflect.ValueOf(b).FieldByName(row.field).Bool(); got != side.want {
				t.Errorf("%s of %s: %v, want %v", row.field, side.version, got, side.want)
			}
		}
	}
}

func TestInstalledFileTellsOfExcludedParametersOfBots(t *testing.T) {
	const with, without = "$url = PageUrl::excludeQueryParametersFromUrl($url, $id);", "$url = $request->getParam('url');"
	for _, tt := range []struct {
		version, file string
		want          bool
	}{
		{"5.12.0", "", true},
		{"5.11.2", "", false},
		{"5.12.0", without, false},
		{"5.11.2", with, true},
	} {
		v, _ := ParseVersion(tt.version)
		if got := BehavioursOf(Found{Version: v, BotProcessorFile: tt.file}).BotURLExclusions; got != tt.want {
			t.Errorf("%s with %q: %v, want %v", tt.version, tt.file, got, tt.want)
		}
	}
}

func TestIntranetRuleIsThatOfTheInstalledFile(t *testing.T) {
	const byTurns = `if ($isIntranetSite && !StaticContainer::get($this->settingName)) {`
	const stays = `if ($isIntranetSite) {
            if (!StaticContainer::get($this->settingName)) {`
	for _, tt := range []struct {
		version, file string
		want          bool
	}{
		{"5.12.0", "", false},
		{"5.13.0", "", true},
		{"6.0.0", "", true},
		{"6.0.0", byTurns, false},
		{"5.2.0", stays, true},
	} {
		v, _ := ParseVersion(tt.version)
		if got := BehavioursOf(Found{Version: v, IntranetFile: tt.file}).IntranetTrustStays; got != tt.want {
			t.Errorf("%s, file %q: %v, want %v", tt.version, tt.file, got, tt.want)
		}
	}
}
