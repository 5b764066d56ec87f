package matomo

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
)

// openVersion opens the test installation as one of a version, with options beside its own.
func openVersion(t *testing.T, db *sqlx.DB, version, config string, options map[string]string) *Installation {
	t.Helper()
	mustExec(t, db,
		"DELETE FROM m_option WHERE option_name = 'version_core' OR option_name LIKE 'PrivacyManager%' OR option_name LIKE "+
			"'SitesManager%'")
	mustExec(t, db, "INSERT INTO m_option VALUES ('version_core', ?, 1)", version)
	for name, value := range options {
		mustExec(t, db, "INSERT INTO m_option VALUES (?, ?, 1)", name, value)
	}
	return open(t, db, newClock(), config)
}

func siteOf(t *testing.T, i *Installation, id int64) *Site {
	t.Helper()
	site, err := i.Site(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func TestSitesHavePrivacySettingsOfTheirOwnFrom55On(t *testing.T) {
	all := map[string]string{
		"PrivacyManager.ipAddressMaskLength": "1", "PrivacyManager.doNotTrackEnabled": "1",
		"PrivacyManager.anonymizeReferrer":                           "exclude_all",
		"PrivacyManager.idSite(1).ipAddressMaskLength":               "3",
		"PrivacyManager.idSite(1).ipAnonymizerEnabled":               "0",
		"PrivacyManager.idSite(1).doNotTrackEnabled":                 "",
		"PrivacyManager.idSite(1).useAnonymizedIpForVisitEnrichment": "1",
		"PrivacyManager.idSite(1).forceCookielessTracking":           "1",
		"PrivacyManager.idSite(1).anonymizeUserId":                   "yes",
		"PrivacyManager.idSite(1).anonymizeOrderId":                  "1",
		"PrivacyManager.idSite(1).anonymizeReferrer":                 "",
		"PrivacyManager.idSite(1).randomizeConfigId":                 "1",
		"PrivacyManager.idSite(2).ipAddressMaskLength":               "",
		"PrivacyManager.idSite(13).ipAddressMaskLength":              "4",
	}
	ofAll := Privacy{AnonymizeIP: true, IPMaskLength: 1, DoNotTrack: true, AnonymizeReferrer: "exclude_all"}
	unmasked := ofAll
	unmasked.IPMaskLength = 0 // an empty option is one
	tests := []struct {
		version string
		site    int64
		want    Privacy
	}{
		{"5.4.0", 1, ofAll},
		{"5.4.0", 2, ofAll},
		{"5.5.0", 1, Privacy{
			IPMaskLength: 3, UseAnonymizedIPForVisit: true, ForceCookielessTracking: true, AnonymizeUserID: true,
			AnonymizeOrderID:  true,
			RandomizeConfigID: true,
		}},
		{"5.5.0", 2, unmasked},
		{"5.5.0", 3, ofAll},
	}
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		for _, tt := range tests {
			i := openVersion(t, db, tt.version, "", all)
			if diff := cmp.Diff(tt.want, siteOf(t, i, tt.site).Privacy); diff != "" {
				t.Errorf("%s, site %d: %s", tt.version, tt.site, diff)
			}
			if general, err := i.General(context.Background()); err != nil || !cmp.Equal(general.Privacy, ofAll) {
				t.Errorf("%s, all sites: %+v, %v", tt.version, general, err)
			}
		}
		i := openVersion(t, db, "5.5.0", "[Plugins]\nPlugins[] = CoreHome\n", all)
		if got := siteOf(t, i, 1).Privacy; got != (Privacy{}) {
			t.Errorf("without the plugin: %+v", got)
		}
	})
}

func TestRandomConfigIDsFrom53On(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		for version, want := range map[string]bool{"5.2.2": false, "5.3.0": true} {
			i := openVersion(t, db, version, "", map[string]string{"PrivacyManager.randomizeConfigId": "1"})
			if got := siteOf(t, i, 1).Privacy.RandomizeConfigID; got != want {
				t.Errorf("%s: %v, want %v", version, got, want)
			}
		}
	})
}

// TestOptionsInOtherCase: MariaDB takes capital letters for small ones, and so does Matomo, which asks it.
func TestOptionsInOtherCase(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		i := openVersion(t, db, "5.5.0", "", map[string]string{"PrivacyManager.idsite(1).IPADDRESSMASKLENGTH": "3"})
		want := 3
		if isSQLite(db) {
			want = 2
		}
		if got := siteOf(t, i, 1).Privacy.IPMaskLength; got != want {
			t.Errorf("%d, want %d", got, want)
		}
	})
}

func TestTypesOfExcludedURLParameters(t *testing.T) {
	const typeOption, list = "SitesManager_ExcludeTypeQueryParamsGlobal", "SitesManager_ExcludedQueryParameters"
	const config = "[SitesManager]\nCommonPIIParams[] = mail\nCommonPIIParams[] = off\nCommonPIIParams[] = \"/^my_/\"\n"
	custom, recommended := []string{"sid", "a b", "own"}, []string{"sid", "a b", "mail", "/^my_/"}
	tests := []struct {
		version, kind string
		want          []string
	}{
		{"5.1.2", "matomo_recommended_pii", custom},
		{"5.2.0", "matomo_recommended_pii", recommended},
		{"5.1.2", "common_session_parameters", custom},
		{"5.2.0", "common_session_parameters", []string{"sid", "a b"}},
		{"5.2.0", "custom", custom},
		{"5.2.0", "", custom},
		{"5.2.0", "Matomo_recommended_PII", custom},
	}
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		for _, tt := range tests {
			i := openVersion(t, db, tt.version, config, map[string]string{typeOption: tt.kind, list: "own"})
			if got := siteOf(t, i, 2).ExcludedParameters; !cmp.Equal(got, tt.want) {
				t.Errorf("%s, %q: %v, want %v", tt.version, tt.kind, got, tt.want)
			}
		}
		i := openVersion(t, db, "5.2.0", "", nil)
		if got := siteOf(t, i, 2).ExcludedParameters; !cmp.Equal(got, []string{"sid", "a b"}) {
			t.Errorf("without type and list: %v", got)
		}
	})
}

func TestBuiltInParametersWithPersonalData(t *testing.T) {
	tests := []struct {
		version string
		count   int
		french  bool
	}{{"5.7.1", 159, false}, {"5.8.0", 231, true}}
	for _, tt := range tests {
		version, _ := ParseVersion(tt.version)
		c, err := parseConfig(t, "").For(Found{Version: version})
		if err != nil {
			t.Fatal(err)
		}
		got := c.List("SitesManager", "CommonPIIParams")
		text := "," + strings.Join(got, ",") + ","
		if len(got) != tt.count || strings.Contains(text, ",motdepasse,") != tt.french || strings.Contains(text, ",off,") {
			t.Errorf("%s: %d parameters: %s", tt.version, len(got), text)
		}
	}
}
