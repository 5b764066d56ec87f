package referrer

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Attribution is the referrer of a conversion, without URL (spec §7.7): the campaign that the request names in _rcn and
// _rck, else the search engine, website, social network or AI assistant of _ref, else the visit's. A visit that came
// by a campaign keeps it. Errors are those of Detect.
func (d *Detector) Attribution(r *request.Request, visit store.Referer) (store.Referer, error) {
	visit.URL = store.NullText{}
	name := campaignText(r, "_rcn")
	if !php.EmptyString(name) {
		keyword := campaignText(r, "_rck")
		if r.Site().MaskCampaigns {
			name, keyword = masked, masked
		}
		return store.Referer{
			Type: store.Int(Campaign), Name: store.Text(php.MBToLower(name)),
			Keyword: store.Text(php.MBToLower(keyword)),
		}, nil
	}
	if visit.Type.V == Campaign && !php.EmptyString(visit.Name.V) {
		return visit, nil
	}
	ref := r.Text("_ref")
	if php.EmptyString(ref) {
		return visit, nil
	}
	return d.attribute(ref, r, visit)
}

// attribute is apart from Attribution so that requests without a referrer of their own need no memory.
func (d *Detector) attribute(ref string, r *request.Request, visit store.Referer) (store.Referer, error) {
	found, err := d.detect(&detection{
		d: d,
		in: Input{
			Site: r.Site(), General: r.General(), Raw: r.Raw(), Referrer: ref, URL: r.Text("url"), Page: r.Page(),
			Current:    &visit,
			Exclusions: r.Exclusions(),
		},
		landing: &php.URL{},
	})
	if err != nil {
		return store.Referer{}, err
	}
	switch found.Type.V {
	case SearchEngine, Website, Social, AIAssistant:
		found.URL = store.NullText{}
		return found.Referer, nil
	}
	return visit, nil
}

func campaignText(r *request.Request, param string) string {
	return php.Trim(php.URLDecode(r.Text(param)))
}
