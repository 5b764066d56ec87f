package location

import (
	"errors"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/phpsource"
)

// regionNames are the regions of Matomo's list (spec §9.2).
type regionNames struct {
	fold      func(name string) string
	ofCountry map[string][]region // by code, in upper case; in the order of the list
}

type region struct {
	code  string
	names []string // folded: the current name, then others
}

// code is the ISO code of a region by its English name, "" when it is not known. Letter case and accents do not count.
func (r *regionNames) code(country, name string) string {
	folded := r.fold(name)
	for _, region := range r.ofCountry[country] {
		for _, known := range region.names {
			if known == folded {
				return region.code
			}
		}
	}
	return ""
}

// parseRegionNames reads plugins/GeoIp2/data/isoRegionNames.php of Matomo: country -> region -> name, altNames,
// current. Names are equal that fold makes equal.
func parseRegionNames(source string, fold func(name string) string) (*regionNames, error) {
	list, err := phpsource.Parse("isoRegionNames.php", source).Return()
	if err != nil {
		return nil, err
	}
	r := &regionNames{fold: fold, ofCountry: make(map[string][]region, list.Array().Len())}
	for country, regions := range list.Array().All() {
		for code, v := range regions.Array().All() {
			known := []string{fold(php.ToString(v.Array().Value("name")))}
			for _, other := range v.Array().Value("altNames").Array().All() {
				known = append(known, fold(php.ToString(other)))
			}
			r.ofCountry[country] = append(r.ofCountry[country], region{code, known})
		}
	}
	if len(r.ofCountry) == 0 {
		return nil, errors.New("no regions")
	}
	return r, nil
}
