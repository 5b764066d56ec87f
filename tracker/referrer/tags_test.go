package referrer

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

var allColumns = func() (columns [matomo.CampaignFields]bool) {
	for field := range columns {
		columns[field] = true
	}
	return columns
}()

func named(name, source string) tags {
	return tags{matomo.CampaignName: name, matomo.CampaignSource: source}
}

func columnsOf(t tags) []store.NullText { return t.columns() }

// The recorded cases of package tracker show the rest, as rows.
func TestTagsDifferFromThoseOfTheVisit(t *testing.T) {
	for _, tt := range []struct {
		before, now tags
		want        bool
	}{
		{named("a", "s"), tags{}, false}, // nothing found
		{named("a", "s"), named("a", "s"), false},
		{named("A", "s"), named("a", "S"), false},
		{named("a", "s"), named("a", ""), true},
		{named("a", "0"), named("a", ""), false}, // "0" is false to PHP
		{named("a", ""), named("a", "0"), true},
		{tags{}, named("a", ""), true},
		{named("10", ""), named("1e1", ""), false},
		{named("010", "s"), named("10.0", "s"), false},
		{named("10", ""), named("10a", ""), true},
	} {
		var current []store.NullText
		if tt.before.any() {
			current = tt.before.columns()
		}
		got, err := (&Tags{values: tt.now}).Differ(current, &allColumns)
		if got != tt.want || err != nil {
			t.Errorf("%q, then %q: %v, %v, want %v", tt.before, tt.now, got, err, tt.want)
		}
	}
	onlyName := [matomo.CampaignFields]bool{matomo.CampaignName: true}
	now := &Tags{values: named("a", "s")}
	if got, _ := now.Differ(columnsOf(named("a", "")), &onlyName); got {
		t.Error("a column that is not there makes a difference")
	}
}

// An error is told to those who need the tags, and to nobody else.
func TestListsAreRefusedOnlyWhereTagsAreNeeded(t *testing.T) {
	broken := &Tags{err: wrongType("campaign parameter utm_source")}
	var refused *request.Rejection
	if _, err := broken.Differ(nil, &allColumns); !errors.As(err, &refused) {
		t.Errorf("Differ: %v", err)
	}
	if _, err := broken.OfVisit(&store.Referer{}); !errors.As(err, &refused) {
		t.Errorf("OfVisit: %v", err)
	}
	if _, err := broken.OfConversion(make([]store.NullText, matomo.CampaignFields)); !errors.As(err, &refused) {
		t.Errorf("OfConversion without columns: %v", err)
	}
	before := columnsOf(named("a", ""))
	if got, err := broken.OfConversion(before); err != nil || !cmp.Equal(got, before) {
		t.Errorf("OfConversion with columns: %v, %v", got, err)
	}
}

func TestWithoutThePluginThereAreNoTags(t *testing.T) {
	var none *Tags
	found := store.Referer{Type: store.Int(Campaign), Name: store.Text("a")}
	if differ, err := none.Differ(nil, &allColumns); differ || err != nil {
		t.Errorf("Differ: %v, %v", differ, err)
	}
	visit, err := none.OfVisit(&found)
	if visit != nil || err != nil || WithCampaign(found, visit) != found {
		t.Errorf("OfVisit: %v, %v", visit, err)
	}
	if conversion, err := none.OfConversion(nil); conversion != nil || err != nil || none.Masked(found) != found {
		t.Errorf("OfConversion: %v, %v", conversion, err)
	}
}

func TestConversionsOfTheFirstRequestAreMaskedOnceMore(t *testing.T) {
	with := new(Tags)
	campaign := with.Masked(store.Referer{Type: store.Int(Campaign), Name: store.Text("a"), Keyword: store.Text("k")})
	if campaign.Name.V != masked || campaign.Keyword.V != masked {
		t.Errorf("%+v", campaign)
	}
	site := store.Referer{Type: store.Int(Website), Name: store.Text("a")}
	if got := with.Masked(site); got != site {
		t.Errorf("%+v", got)
	}
}
