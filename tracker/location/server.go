package location

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// ServerVariables names the variables of the HTTP request's environment in which the web server's GeoIP module leaves
// a location (spec §9.2). One without a name is not read.
type ServerVariables struct {
	Country, Region, City, Latitude, Longitude string

	Provider, Organization string // of internet access, and its customer

	// These are not stored, but with one of them something is known: then the languages do not count.
	Continent, ContinentName, CountryName, RegionName, PostalCode string
}

// usualVariables are those of MaxMind's modules.
var usualVariables = ServerVariables{
	Country: "MM_COUNTRY_CODE", Region: "MM_REGION_CODE", City: "MM_CITY_NAME", Latitude: "MM_LATITUDE",
	Longitude: "MM_LONGITUDE",
	Continent: "MM_CONTINENT_CODE", ContinentName: "MM_CONTINENT_NAME", CountryName: "MM_COUNTRY_NAME",
	RegionName: "MM_REGION_NAME",
	PostalCode: "MM_POSTAL_CODE", Provider: "MM_ISP", Organization: "MM_ORG",
}

// ServerVariablesOf takes the names from the settings of plugin GeoIp2, the usual ones where there is no setting.
// Matomo's setting geoip2usecustom hides the names in the interface only: those that are stored count even when it is
// off.
func ServerVariablesOf(setting func(name string) (value string, found bool)) ServerVariables {
	v := usualVariables
	for name, field := range map[string]*string{
		"geoip2var_country_code":   &v.Country,
		"geoip2var_region_code":    &v.Region,
		"geoip2var_city_name":      &v.City,
		"geoip2var_lat":            &v.Latitude,
		"geoip2var_long":           &v.Longitude,
		"geoip2var_continent_code": &v.Continent,
		"geoip2var_continent_name": &v.ContinentName,
		"geoip2var_country_name":   &v.CountryName,
		"geoip2var_region_name":    &v.RegionName,
		"geoip2var_postal_code":    &v.PostalCode,
		"geoip2var_isp":            &v.Provider,
		"geoip2var_org":            &v.Organization,
	} {
		if value, found := setting(name); found {
			*field = value
		}
	}
	return v
}

// server is provider geoip2server.
type server struct {
	variables ServerVariables
	database  *database // for addresses that are not those of the HTTP request, nil when there is none
}

func newServer(variables ServerVariables, fallback *database) *server {
	if variables == (ServerVariables{}) {
		variables = usualVariables
	}
	return &server{variables, fallback}
}

func (s *server) locate(ip string, r *request.Request) (place, bool) {
	if !isSameOrMasked(php.FormatIP([]byte(ip)), r.HeaderIP()) {
		if s.database == nil {
			return place{}, false
		}
		return s.database.locate(ip, r)
	}
	read := func(variable string) store.NullText {
		if text := r.Server(variable); !php.EmptyString(text) {
			return store.Text(strings.Clone(text)) // the answer outlives the queue entry
		}
		return store.NullText{}
	}
	p := place{
		Location: store.Location{
			Region: read(s.variables.Region), City: read(s.variables.City),
			Latitude: coordinate(read(s.variables.Latitude)), Longitude: coordinate(read(s.variables.Longitude)),
		},
		country: read(s.variables.Country).V, isp: read(s.variables.Provider).V,
		organisation: read(s.variables.Organization).V,
	}
	return p, p != place{} || s.variables.tellsMore(r)
}

// tellsMore reports whether one of the variables that are not stored has a value.
func (v *ServerVariables) tellsMore(r *request.Request) bool {
	for _, variable := range [...]string{
		v.Continent, v.ContinentName, v.CountryName, v.RegionName, v.PostalCode,
	} {
		if !php.EmptyString(r.Server(variable)) {
			return true
		}
	}
	return false
}

// coordinate rounds a number and drops other text.
func coordinate(text store.NullText) store.NullText {
	if !text.Valid || !php.IsNumeric(text.V) {
		return store.NullText{}
	}
	return store.Text(rounded(php.StringToFloat(text.V)))
}

const coordinatePlaces = 3

// rounded is a coordinate as Matomo stores it.
func rounded(degrees float64) string { return php.FloatString(php.Round(degrees, coordinatePlaces)) }

// isSameOrMasked reports whether ip is the address of the HTTP request or what is left of it after masking its last
// parts. IPv6 addresses have one part only.
func isSameOrMasked(ip, header string) bool {
	parts, headerParts := strings.Split(ip, "."), strings.Split(header, ".")
	if len(parts) != len(headerParts) {
		return false
	}
	masked := true
	for i := len(parts) - 1; i >= 0; i-- {
		masked = masked && parts[i] == "0"
		if !masked && !php.LooseEqualStrings(parts[i], headerParts[i]) {
			return false
		}
	}
	return true
}
