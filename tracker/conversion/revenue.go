package conversion

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const decimals = 2

// readRevenue is the parameter revenue, rounded, else the default as the database prints it (§8.4). Text that is no number also gives
// the default.
func readRevenue(r *request.Request, preset string) (store.NullText, error) {
	_, given, err := r.Float(revenueParam)
	if err != nil {
		return store.NullText{}, err
	}
	if !given {
		return store.Text(roundText(preset)), nil
	}
	revenue, err := r.FloatOr(revenueParam, php.StringToFloat(preset))
	return store.Text(roundFloat(revenue)), err
}

// readTotal is one of an order's totals: NULL when it is missing, 0 when it is no number.
func readTotal(r *request.Request, name string) (store.NullText, error) {
	total, given, err := r.Float(name)
	if err != nil || !given {
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
