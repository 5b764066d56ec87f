package matomo

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
)

// demanded is what policies and settings change of a site.
type demanded struct {
	Mask                                                        int
	MaskOn, Orders                                              bool
	Referrer                                                    string
	Campaigns, NoCampaigns, NoUserIDs, Major, NoModel, NoScreen bool
	ThirdParty                                                  bool
	Excluded                                                    string
}

func demandedOf(s *Site) demanded {
	return demanded{
		Mask: s.Privacy.IPMaskLength, MaskOn: s.Privacy.AnonymizeIP, Orders: s.Privacy.AnonymizeOrderID,
		Referrer:  s.Privacy.AnonymizeReferrer,
		Campaigns: s.MaskCampaigns, NoCampaigns: len(s.Tracker.CampaignNameParameters) == 0, NoUserIDs: s.UserIDDisabled,
		Major: s.OnlyMajorVersions, NoModel: s.DeviceModelHidden, NoScreen: s.ResolutionDisabled,
		ThirdParty: s.Tracker.UseThirdPartyIDCookie, Excluded: strings.Join(s.ExcludedParameters, ","),
	}
}

// stored are settings: plugin and name, separated by a slash, "2/" before them for site 2.
type stored map[string]string

func (s stored) insert(t *testing.T, db *sqlx.DB) {
	t.Helper()
	mustExec(t, db, "DELETE FROM m_plugin_setting")
	mustExec(t, db, "DELETE FROM m_site_setting")
	n := 0
	for key, value := range s {
		n++
		parts := strings.Split(key, "/")
		if site, err := strconv.Atoi(parts[0]); err == nil {
			mustExec(t, db, "INSERT INTO m_site_setting VALUES (?, ?, ?, ?, ?, 0)", n, site, parts[1], parts[2], value)
			continue
		}
		mustExec(t, db, "INSERT INTO m_plugin_setting VALUES (?, ?, ?, ?, 0, '')", n, parts[0], parts[1], value)
	}
}

const (
	policyOfAll  = "CnilPolicy/cnil_v1_policy_enabled"
	policyOfSite = "2/CnilPolicy/cnil_v1_policy_enabled"
	withFlag     = "[FeatureFlags]\nPrivacyCompliance_feature = enabled\n"
	pinned       = "[CnilPolicy]\ncnil_v1_policy_enabled = "
)

func TestPolicy(t *testing.T) {
	const config = "[SitesManager]\nCommonPIIParams[] = mail\n[Tracker]\nuse_third_party_id_cookie = 1\n"
	free := demanded{Mask: 1, ThirdParty: true, Excluded: "sid,a b,own"}
	strict := demanded{
		Mask: 2, MaskOn: true, Orders: true, Referrer: "exclude_path", Campaigns: true, NoUserIDs: true, Major: true,
		NoModel:  true,
		NoScreen: true, Excluded: "sid,a b,mail",
	}
	but := func(d demanded, change func(*demanded)) demanded {
		change(&d)
		return d
	}
	discarding := but(strict, func(d *demanded) { d.Campaigns, d.NoCampaigns = false, true })
	tests := []struct {
		version string
		config  string
		stored  stored
		want    demanded
	}{
		{"6.0.0", "", nil, free},
		// The border, behind a flag at first.
		{"5.5.2", withFlag, stored{policyOfAll: "1"}, free},
		{"5.6.0", "", stored{policyOfAll: "1"}, free},
		{"5.6.0", withFlag, stored{policyOfAll: "1"}, discarding},
		{"5.8.0", "", stored{policyOfAll: "1"}, free},
		{"5.9.0", "", stored{policyOfAll: "1"}, discarding},
		// Campaigns are discarded at first, later masked.
		{"5.10.1", "", stored{policyOfAll: "1"}, discarding},
		{"5.11.0", "", stored{policyOfAll: "1"}, strict},
		// Who switches it on.
		{"6.0.0", "", stored{policyOfSite: "1"}, strict},
		{"6.0.0", "", stored{"1/CnilPolicy/cnil_v1_policy_enabled": "1"}, free},
		{"6.0.0", "", stored{policyOfAll: "1", policyOfSite: "0"}, strict},
		{"6.0.0", "", stored{policyOfAll: ""}, free},
		{"6.0.0", "", stored{policyOfAll: "false"}, strict}, // text
		{"6.0.0", pinned + "1\n", stored{policyOfSite: "0"}, strict},
		{"6.0.0", pinned + "1\n", stored{"UserId/UserIdDisabled_policy_enforced": "0"}, strict},
		{"6.0.0", pinned + "0\n", stored{policyOfAll: "1"}, free},
		{"6.0.0", pinned + "\"\"\n", stored{policyOfAll: "1"}, free},
		// Before single settings could be enforced, a site was free to want what the configuration does not.
		{"5.13.0", pinned + "0\n", stored{policyOfSite: "1"}, strict},
		{"5.14.0", pinned + "0\n", stored{policyOfSite: "1"}, free},
		// Single settings.
		{"5.13.0", "", stored{"UserId/UserIdDisabled_policy_enforced": "1"}, free},
		{
			"5.14.0", "",
			stored{"UserId/UserIdDisabled_policy_enforced": "1"},
			but(free, func(d *demanded) { d.NoUserIDs = true }),
		},
		{
			"5.14.0", "",
			stored{"2/UserId/UserIdDisabled_policy_enforced": "1"},
			but(free, func(d *demanded) { d.NoUserIDs = true }),
		},
		{"5.13.0", "", stored{policyOfAll: "1", "UserId/UserIdDisabled_policy_enforced": "0"}, strict},
		{
			"5.14.0", "",
			stored{policyOfAll: "1", "UserId/UserIdDisabled_policy_enforced": "0"},
			but(strict, func(d *demanded) { d.NoUserIDs = false }),
		},
		{"5.14.0", "", stored{
			policyOfAll: "1", "UserId/UserIdDisabled_policy_enforced": "0",
			"2/UserId/UserIdDisabled_policy_enforced": "1",
		}, strict},
		{
			"5.14.0", "[Resolution]\nScreenResolutionDetectionDisabled_policy_enforced = 0\n",
			stored{policyOfAll: "1", "Resolution/ScreenResolutionDetectionDisabled_policy_enforced": "1"},
			but(strict, func(d *demanded) { d.NoScreen = false }),
		},
		{
			"5.14.0", "",
			stored{policyOfAll: "1", "2/SitesManager/FilterPIIParameters_policy_enforced": "0"},
			but(strict, func(d *demanded) { d.Excluded = free.Excluded }),
		},
		// Third-party cookies follow the policy itself.
		{"5.14.0", "", stored{"Core/ThirdPartyCookies_policy_enforced": "1"}, free},
		{"5.14.0", "", stored{policyOfAll: "1", "Core/ThirdPartyCookies_policy_enforced": "0"}, strict},
		// What sites want without a policy.
		{"5.6.0", "", stored{"2/UserId/user_id_disabled": "1"}, free},
		{"5.6.0", withFlag, stored{"2/UserId/user_id_disabled": "1"}, but(free, func(d *demanded) { d.NoUserIDs = true })},
		{"6.0.0", "", stored{"2/UserId/user_id_disabled": "false"}, but(free, func(d *demanded) { d.NoUserIDs = true })},
		{"6.0.0", "", stored{"2/UserId/user_id_disabled": ""}, free},
		{
			"5.10.0", "",
			stored{"2/PrivacyManager/campaign_tracking_parameters_disabled": "1"},
			but(free, func(d *demanded) { d.NoCampaigns = true }),
		},
		{"5.11.0", "", stored{"2/PrivacyManager/campaign_tracking_parameters_disabled": "1"}, free},
		{"5.10.0", "", stored{"2/PrivacyManager/campaign_parameter_values_masked": "1"}, free},
		{
			"5.11.0", "",
			stored{"2/PrivacyManager/campaign_parameter_values_masked": "1"},
			but(free, func(d *demanded) { d.Campaigns = true }),
		},
	}
	options := map[string]string{
		"PrivacyManager.ipAddressMaskLength": "1", "PrivacyManager.ipAnonymizerEnabled": "0",
		"SitesManager_ExcludedQueryParameters": "own",
	}
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		for _, tt := range tests {
			tt.stored.insert(t, db)
			i := openVersion(t, db, tt.version, config+tt.config, options)
			if diff := cmp.Diff(tt.want, demandedOf(siteOf(t, i, 2))); diff != "" {
				t.Errorf("%s %q %v: %s", tt.version, tt.config, tt.stored, diff)
			}
		}
		// A setting of a user is none, nor is one of a plugin that is not active.
		stored{policyOfAll: "1"}.insert(t, db)
		i := openVersion(t, db, "6.0.0", config+"[Plugins]\nPlugins[] = SitesManager\nPlugins[] = PrivacyManager\n", options)
		got := demandedOf(siteOf(t, i, 2))
		if got.Major || got.NoModel || got.NoScreen || got.NoUserIDs || !got.Campaigns {
			t.Errorf("without most plugins: %+v", got)
		}
		mustExec(t, db, "UPDATE m_plugin_setting SET user_login = 'somebody'")
		i = openVersion(t, db, "6.0.0", config, options)
		if diff := cmp.Diff(free, demandedOf(siteOf(t, i, 2))); diff != "" {
			t.Errorf("setting of a user: %s", diff)
		}
	})
}

func TestStricterReferrer(t *testing.T) {
	for option, want := range map[string]string{
		"": "exclude_path", "exclude_query": "exclude_path", "exclude_path": "exclude_path", "exclude_all": "exclude_all",
		"something": "exclude_path", "EXCLUDE_ALL": "exclude_path",
	} {
		if got := stricterReferrer(option); got != want {
			t.Errorf("%q: %s, want %s", option, got, want)
		}
	}
}

func TestPolicyForAllSitesLimitsTheAgeOfRows(t *testing.T) {
	tests := []struct {
		version, days string
		stored        stored
		want          time.Duration
	}{
		{"5.5.2", "1000", stored{policyOfAll: "1"}, 1000},
		{"5.9.0", "1000", stored{policyOfAll: "1"}, 759},
		{"5.9.0", "100", stored{policyOfAll: "1"}, 100},
		{"5.9.0", "1000", stored{policyOfSite: "1"}, 1000},
		{"5.14.0", "1000", stored{"PrivacyManager/ReportRetention_policy_enforced": "1"}, 759},
	}
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		for _, tt := range tests {
			tt.stored.insert(t, db)
			mustExec(t, db, "DELETE FROM m_option WHERE option_name LIKE 'delete_logs%'")
			i := openVersion(t, db, tt.version, "", map[string]string{
				"delete_logs_enable": "1", "delete_logs_older_than": tt.days, "delete_logs_schedule_lowest_interval": "0",
			})
			general, err := i.General(t.Context())
			if err != nil || general.DeleteLogsOlder != tt.want*24*time.Hour {
				t.Errorf("%s, %s days, %v: %v, want %d days, %v", tt.version, tt.days, tt.stored, general.DeleteLogsOlder,
					tt.want, err)
			}
		}
	})
}
