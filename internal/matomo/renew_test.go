package matomo

import (
	"context"
	"testing"

	"github.com/jmoiron/sqlx"
)

// renewed is what a batch sees of site 1 and of all sites after Renew.
func renewed(t *testing.T, i *Installation) (*Site, *General) {
	t.Helper()
	i.Renew()
	general, err := i.General(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	site, err := i.Site(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return site, general
}

func TestRenewedSitesAndOptionsAreReadAgain(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		i := open(t, db, newClock(), "")
		before, general := renewed(t, i)
		mustExec(t, db,
			"INSERT INTO m_goal (idsite, idgoal, name, match_attribute, pattern, pattern_type, case_sensitive, "+
				"allow_multiple, revenue) "+
				"VALUES (1, 77, 'new', 'url', 'x', 'contains', 0, 0, 0)")
		mustExec(t, db, "INSERT INTO m_option VALUES ('SitesManager_ExcludedIpsGlobal', '10.0.0.0/8', 1)")
		after, generalAfter := renewed(t, i)
		if len(after.Goals) != len(before.Goals)+1 {
			t.Errorf("%d goals, there were %d", len(after.Goals), len(before.Goals))
		}
		if len(generalAfter.GlobalExcludedIPs) != 1 || generalAfter == general {
			t.Errorf("excluded: %v", generalAfter.GlobalExcludedIPs)
		}
	})
}

// The index of all sites' URLs takes long to build where there are many.
func TestIndexOfURLsIsKeptUntilURLsChange(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		clock := newClock()
		i := open(t, db, clock, "")
		_, general := renewed(t, i)
		index := general.SiteURLs
		if _, general = renewed(t, i); general.SiteURLs != index {
			t.Error("built again although nothing has changed")
		}
		for _, change := range []string{
			"INSERT INTO m_site_url (idsite, url) VALUES (1, 'http://new.example.org')",
			"UPDATE m_site SET main_url = 'http://another.example.org' WHERE idsite = 1",
			"DELETE FROM m_site WHERE idsite = 2",
		} {
			mustExec(t, db, change)
			if _, general = renewed(t, i); general.SiteURLs == index {
				t.Errorf("not built again after %s", change)
			}
			index = general.SiteURLs
		}
		clock.now = clock.now.Add(i.ttl)
		if _, general = renewed(t, i); general.SiteURLs == index {
			t.Error("not built again although it is old")
		}
	})
}
