package conversion

import (
	"math"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const decimals = 2

// maxAmount is the greatest amount that newer versions of Matomo record, compared before it is rounded
// (spec §V2.4).
const maxAmount = 1e12

// tooLarge reports whether an amount is beyond what is recorded, where there is a limit.
func tooLarge(limited bool, amount float64) bool { return limited && math.Abs(amount) > maxAmount }

// readRevenue is the parameter revenue, rounded, else the default as the database prints it (spec §8.4). Text that is
// no number also gives the default. An amount that is too large is NULL.
func readRevenue(r *request.Request, preset string) (store.NullText, error) {
	_, given, err := r.Float(revenueParam)
	if err != nil {
		return store.NullText{}, err
	}
	revenue := php.StringToFloat(preset)
	if given {
		if revenue, err = r.FloatOr(revenueParam, revenue); err != nil {
			return store.NullText{}, err
		}
	}
	switch {
	case tooLarge(r.Context().Behaviours.AmountLimit, revenue):
		return store.NullText{}, nil
	case !given:
		return store.Text(roundText(preset)), nil
	}
	return store.Text(roundFloat(revenue)), nil
}

// readTotal is one of an order's totals: NULL when it is missing or too large, 0 when it is no number.
func readTotal(r *request.Request, name string) (store.NullText, error) {
	total, given, err := r.Float(name)
	if err != nil || !given || tooLarge(r.Context().Behaviours.AmountLimit, total) {
		return store.NullText{}, err
	}
	return store.Text(roundFloat(total)), nil
}

// roundFloat writes an amount with at most two decimals.
func roundFloat(amount float64) string {
	if php.Round(amount, 0) != amount {
		amount = php.Round(amount, decimals)
	}
	return php.FloatString(amount)
}

// roundText rounds an amount that is not integral and leaves others as they are written: "1e2" stays "1e2".
func roundText(amount string) string {
	f := php.StringToFloat(amount)
	if php.Round(f, 0) == f {
		return amount
	}
	return php.FloatString(php.Round(f, decimals))
}
