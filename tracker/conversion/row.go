package conversion

import (
	"io"
	"slices"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/dimension"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Source is what the conversions of one request are made of (spec §8.3).
type Source struct {
	Request *request.Request
	Time    int64 // T, unix seconds

	// Visit is the row of the visit with the changes of this request.
	Visit *store.Visit
	// Loaded is the visit that was going on when the request came, nil when there was none. It differs from Visit,
	// before its changes, only when a campaign or website forced a new visit (spec §C.1).
	Loaded *store.Visit
	IsNew  bool // Visit begins with this request

	// Action and Link are the request's action and its row, nil when it records none.
	Action *action.Action
	Link   *store.LinkAction

	Referer         store.Referer    // the one to attribute the conversions to (spec §7.7)
	Campaign        []store.NullText // of plugin MarketingCampaignsReporting (spec §P1.6)
	FallbackCountry string           // guessed from the language, for a visit without country

	// VisitDimensions and ConversionDimensions are the N of the columns custom_dimension_N of log_visit and
	// log_conversion.
	VisitDimensions, ConversionDimensions []int
	CustomVars                            int // custom variables that all tables have

	Random io.Reader
}

// NewGoalConversion returns the row of log_conversion for a goal. The error is a Rejection for an amount of the wrong
// type, else the random source's.
func NewGoalConversion(src *Source, converted Converted) (store.Conversion, error) {
	goal := converted.Goal
	c := src.base()
	c.GoalID = goal.ID
	c.URL = converted.URL
	if src.Link != nil {
		c.URLAction = src.Link.URL
		c.Link = store.LinkOf(src.Link)
	}
	c.PageviewsBefore = src.pageviewsBefore()
	var err error
	if goal.AllowMultiple {
		if c.Buster, err = goalBuster(src.Random, src.Time); err != nil {
			return c, err
		}
	}
	takesRevenue, takesValue := amountsOf(src.Request, goal)
	if takesRevenue {
		if c.Revenue, err = readRevenue(src.Request, goal.Revenue); err != nil {
			return c, err
		}
	}
	if takesValue {
		value, given, err := src.Request.Float(eventValueParam)
		if err != nil {
			return c, err
		}
		if given {
			c.Revenue = store.Text(php.FloatString(value))
		}
	}
	src.setDimensions(&c)
	return c, nil
}

// CheckAmounts returns the Rejection that NewGoalConversion would, nil for none. It makes no row.
func CheckAmounts(r *request.Request, goal *matomo.Goal) error {
	takesRevenue, takesValue := amountsOf(r, goal)
	if takesRevenue {
		if _, _, err := r.Float(revenueParam); err != nil {
			return err
		}
	}
	if takesValue {
		if _, _, err := r.Float(eventValueParam); err != nil {
			return err
		}
	}
	return nil
}

// The parameters with the amounts of a goal's conversion.
const (
	revenueParam    = "revenue"
	eventValueParam = "e_v"
)

// amountsOf tells which of them a goal's conversion takes (spec §8.3, §8.4).
func amountsOf(r *request.Request, goal *matomo.Goal) (takesRevenue, takesValue bool) {
	return r.Features().Ecommerce, isEventGoal(goal) && goal.EventValueAsRevenue
}

// NewEcommerceConversion returns the row of log_conversion for a cart or an order. When the visit has an open cart, the
// row of the cart gets these columns, except for url, custom dimensions and custom variables that are NULL here
// (spec §8.5).
func NewEcommerceConversion(src *Source, e *Ecommerce) store.Conversion {
	c := src.base()
	c.GoalID = CartGoal
	c.Items = store.Int(e.quantity)
	c.Revenue = e.revenue
	if e.IsOrder {
		c.GoalID = orderGoal
		c.OrderID = store.Text(e.OrderID)
		c.Buster = orderBuster(e.OrderID)
		c.PageviewsBefore = src.pageviewsBefore()
		c.RevenueShipping, c.RevenueSubtotal, c.RevenueTax, c.RevenueDiscount = e.shipping, e.subtotal, e.tax, e.discount
	}
	src.setDimensions(&c)
	return c
}

// base copies the columns that a conversion has from its visit.
func (src *Source) base() store.Conversion {
	v := src.Visit
	c := store.Conversion{
		Visit:             v,
		SiteID:            v.SiteID,
		Visitor:           v.Visitor,
		ServerTime:        src.Time,
		Returning:         v.Returning,
		SecondsSinceFirst: v.SecondsSinceFirst,
		SecondsSinceOrder: v.SecondsSinceOrder,
		CountVisits:       v.CountVisits,
		Referer:           store.Referer{Type: src.Referer.Type, Name: src.Referer.Name, Keyword: src.Referer.Keyword},
		Campaign:          slices.Clone(src.Campaign),
		Device: store.Device{
			BrowserName: v.Device.BrowserName,
			ClientType:  v.Device.ClientType,
			Brand:       v.Device.Brand,
			Model:       v.Device.Model,
			Type:        v.Device.Type,
		},
		CustomVars: src.variables(),
	}
	if src.Request.Features().UserCountry {
		c.Location = v.Location
		if !c.Location.Country.Valid {
			c.Location.Country = store.Text(src.FallbackCountry)
		}
	}
	return c
}

// variables are those of this request; over them go the visit's own that are not empty. Matomo looks at what the visit
// had before the request, so that an old value wins over a new one (spec §5.7).
func (src *Source) variables() []store.CustomVar {
	vars := dimension.VisitVars(src.Request, src.CustomVars)
	if src.IsNew || src.Loaded == nil || !src.Request.Features().CustomVariables {
		return vars
	}
	for i, old := range src.Loaded.CustomVars {
		if i >= src.CustomVars || old.Name.V == "" && old.Value.V == "" {
			continue
		}
		if vars == nil {
			vars = make([]store.CustomVar, src.CustomVars)
		}
		if old.Name.V != "" {
			vars[i].Name = old.Name
		}
		if old.Value.V != "" {
			vars[i].Value = old.Value
		}
	}
	return vars
}

// pageviewsBefore counts the page views of the visit that was going on, and the request's own (spec §8.4).
func (src *Source) pageviewsBefore() store.NullInt {
	var n int64
	if src.Loaded != nil {
		n = src.Loaded.TotalInteractions.V - src.Loaded.TotalSearches.V
	}
	if src.Action != nil && src.Action.IsPageview() {
		n++
	}
	return store.Int(n)
}

// setDimensions copies the site's dimensions of scope visit where log_conversion has a column of the same index
// (spec §5.6).
func (src *Source) setDimensions(c *store.Conversion) {
	if !src.Request.Features().CustomDimensions || len(src.ConversionDimensions) == 0 {
		return
	}
	c.CustomDimensions = make([]store.NullText, len(src.ConversionDimensions))
	for _, d := range src.Request.Site().Dimensions {
		if d.Scope != "visit" {
			continue
		}
		from, to := slices.Index(src.VisitDimensions, d.Index), slices.Index(src.ConversionDimensions, d.Index)
		if 0 <= from && from < len(src.Visit.CustomDimensions) && to >= 0 {
			c.CustomDimensions[to] = src.Visit.CustomDimensions[from]
		}
	}
}
