package location

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Lengths to which overrides are cut on a new visit, in bytes.
const (
	maxCountry = 3
	maxRegion  = 3
	maxCity    = 255
)

// Overrides returns what the request itself says about the location (spec §9.1), for an existing visit: columns that it
// does not set are not Valid, nothing is cut. The values are sanitised text. Empty ones and "0" set nothing.
func Overrides(r *request.Request) store.Location {
	return store.Location{
		Country:   override(r, "country"),
		Region:    override(r, "region"),
		City:      override(r, "city"),
		Latitude:  override(r, "lat"),
		Longitude: override(r, "long"),
	}
}

func override(r *request.Request, param string) store.NullText {
	if text := r.PlainText(param); !php.EmptyString(text) {
		return store.Text(text)
	}
	return store.NullText{}
}

// withOverrides replaces the columns of a new visit that the request sets.
func withOverrides(l store.Location, r *request.Request) store.Location {
	o := Overrides(r)
	for _, column := range []struct {
		to, from *store.NullText
		maxBytes int
	}{
		{&l.Country, &o.Country, maxCountry},
		{&l.Region, &o.Region, maxRegion},
		{&l.City, &o.City, maxCity},
		{&l.Latitude, &o.Latitude, len(o.Latitude.V)},
		{&l.Longitude, &o.Longitude, len(o.Longitude.V)},
	} {
		if column.from.Valid {
			*column.to = store.Text(php.CutBytes(column.from.V, column.maxBytes))
		}
	}
	return l
}
