package visit

import (
	"crypto/md5"
	"strconv"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Fingerprint holds the parts of config_id that come from the request (spec §4).
type Fingerprint struct {
	Device  *device.Device
	Plugins store.BrowserPlugins
	IP      string // text, or the binary address when anonymized addresses enrich visits
	Lang    string // the whole language string of spec §1.9
	SiteID  int64
}

const fingerprintLanguageBytes = 20

// ConfigID hashes the parts. salt and date are the day's salt and the site's local date, "" where the day does not
// count.
func (p *Fingerprint) ConfigID(settings *matomo.TrackerSettings, salt, date string) store.BinaryID {
	number := func(b []byte, n store.NullInt) []byte { return strconv.AppendInt(b, n.V, 10) }
	b := make([]byte, 0, 256)
	b = append(b, p.Device.FingerprintOS...)
	b = append(b, p.Device.FingerprintBrowser...)
	b = append(b, p.Device.FingerprintBrowserVersion...)
	b = number(b, p.Plugins.Flash)
	b = number(b, p.Plugins.Java)
	b = append(b, '0') // Director, a plugin that browsers no longer have
	b = number(b, p.Plugins.Quicktime)
	b = number(b, p.Plugins.Realplayer)
	b = number(b, p.Plugins.PDF)
	b = number(b, p.Plugins.WindowsMedia)
	b = append(b, '0') // Gears, likewise
	b = number(b, p.Plugins.Silverlight)
	if p.Device.ClientName == "Internet Explorer" {
		b = append(b, '0')
	} else {
		b = number(b, p.Plugins.Cookie)
	}
	b = append(b, p.IP...)
	b = append(b, php.CutBytes(p.Lang, fingerprintLanguageBytes)...)
	b = append(b, settings.Salt...)
	b = append(b, salt...)
	b = append(b, date...)
	if !settings.FingerprintAcrossWebsites {
		b = strconv.AppendInt(b, p.SiteID, 10)
	}
	sum := md5.Sum(b)
	return store.BinaryID(sum[:8])
}
