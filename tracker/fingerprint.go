package tracker

import (
	"context"
	"fmt"
	"maps"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/visit"
)

// fingerprint computes the config ids, for which the days' salts are needed, and the look-ups that follow from them.
func (t *Tracker) fingerprint(ctx context.Context, b *Prepared) error {
	salts := make(map[matomo.SaltKey]string)
	var missing []matomo.SaltKey
	for _, p := range b.requests {
		if !p.looksUp() || !salted(p) {
			continue
		}
		key := matomo.SaltKey{SiteID: p.facts.Site.ID, Date: p.date}
		if _, seen := salts[key]; seen {
			continue
		}
		salt, known := p.facts.Site.Salts[key.Date]
		if !known {
			salt, known = t.salts[key]
		}
		salts[key] = salt
		if !known {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		read, err := t.installation.FingerprintSalts(ctx, t.db, missing)
		if err != nil {
			return fmt.Errorf("fingerprint salts: %w", err)
		}
		maps.Copy(salts, read)
		t.rememberSalts(read)
	}
	for _, p := range b.requests {
		if !p.looksUp() {
			continue
		}
		f := &p.facts
		salt, date := "", ""
		if salted(p) {
			salt, date = salts[matomo.SaltKey{SiteID: f.Site.ID, Date: p.date}], p.date
		}
		print := visit.Fingerprint{Device: p.device, Plugins: f.Plugins, IP: p.printIP, Lang: p.lang, SiteID: f.Site.ID}
		f.ConfigID = print.ConfigID(f.Site.Tracker, salt, date)
		p.query = visit.Query(&p.facts)
	}
	return nil
}

const maxRememberedSalts = 10_000

// rememberSalts keeps salts for the batches to come. When there are too many it begins anew.
func (t *Tracker) rememberSalts(read map[matomo.SaltKey]string) {
	if len(t.salts) > maxRememberedSalts {
		clear(t.salts)
	}
	maps.Copy(t.salts, read)
}

// salted reports whether the day counts in the fingerprint (spec §4).
func salted(p *parsed) bool {
	settings := p.facts.Site.Tracker
	return !settings.FingerprintAcrossWebsites && settings.DailyFingerprint
}
