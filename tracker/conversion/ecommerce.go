package conversion

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// The states of visit_goal_buyer (spec §8.6).
const (
	buyerOrdered         = 1
	buyerOpenCart        = 2
	buyerOrderedAndACart = 3
)

// CartGoal is the idgoal of a cart.
const CartGoal = -1

const orderGoal = 0

// Ecommerce is a cart update or an order as the request describes it.
type Ecommerce struct {
	IsOrder bool
	OrderID string // with HTML entities, "" for a cart

	// Unreadable is set when the items are neither a list nor missing: Matomo marks the visit but records no conversion
	// (spec §8.5).
	Unreadable bool

	// Lookups are the names whose ids the items need: seven per item, in the order of the items. They are looked up in
	// one batch of their own (spec §8.5.1).
	Lookups []action.Lookup

	revenue                           store.NullText
	shipping, subtotal, tax, discount store.NullText
	items                             []item
	quantity                          int64 // of all items
}

// ReadEcommerce reads a cart update or an order, nil when the request is neither: it has to have idgoal=0 (spec §8.5).
// An order id that is empty or "0" makes it a cart. The error is a Rejection: an amount or a category of an item has
// the wrong type.
func ReadEcommerce(r *request.Request) (*Ecommerce, error) {
	if !r.Features().Ecommerce || r.Int("idgoal") != 0 {
		return nil, nil
	}
	e := &Ecommerce{}
	if id := r.Text("ec_id"); !php.EmptyString(id) {
		e.IsOrder, e.OrderID = true, id
	}
	if r.Features().Heartbeat && r.Int("ping") == 1 {
		return e, nil // changes the state of the visit, but nothing is recorded that could be refused
	}
	if err := e.readAmounts(r); err != nil {
		return nil, err
	}
	return e, e.readItems(r)
}

func (e *Ecommerce) readAmounts(r *request.Request) (err error) {
	if e.revenue, err = readRevenue(r, "0"); err != nil || !e.IsOrder {
		return err
	}
	for _, total := range []struct {
		to   *store.NullText
		name string
	}{{&e.discount, "ec_dt"}, {&e.shipping, "ec_sh"}, {&e.subtotal, "ec_st"}, {&e.tax, "ec_tx"}} {
		if *total.to, err = readTotal(r, total.name); err != nil {
			return err
		}
	}
	return nil
}

// Buyer is visit_goal_buyer after the request, given its value before, 0 for a new visit (spec §8.6).
func (e *Ecommerce) Buyer(before int64) int64 {
	switch {
	case e.IsOrder:
		return buyerOrdered
	case before == buyerOrdered || before == buyerOrderedAndACart:
		return buyerOrderedAndACart
	}
	return buyerOpenCart
}

// HasOpenCart reports whether a visit with this visit_goal_buyer has a cart, so that the next cart update or order
// changes the row of the cart instead of adding one (spec §8.5).
func HasOpenCart(buyer store.NullInt) bool {
	return buyer.V == buyerOpenCart || buyer.V == buyerOrderedAndACart
}

// NotInserted is the Rejection of a request whose conversion was not inserted because there is one with its key, if the
// request has an order id; without one, nil: a goal that converts once per visit was converted before (spec §8.3).
func NotInserted(r *request.Request) error {
	if php.EmptyString(r.Text("ec_id")) {
		return nil
	}
	return request.Reject(request.InvalidParameter, "ec_id is not unique")
}
