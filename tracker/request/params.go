package request

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Text is a text parameter as Matomo's getParam reads it (spec §1.3): sanitised, "" when absent or of another type
// ("unknown" for res).
func (r *Request) Text(name string) string {
	for i := range r.texts {
		if r.texts[i].name == name {
			return r.texts[i].text
		}
	}
	v := r.params.Value(name)
	if v.IsNull() {
		return defaultText(name)
	}
	if !v.IsString() || v.Str() == "" || name == "" || name == "0" {
		return php.ReadString(r.params, name, defaultText(name))
	}
	text := r.storable(php.Sanitize(v.Str()))
	if len(text) != len(v.Str()) {
		r.texts = append(r.texts, namedText{name, text})
	}
	return text
}

func defaultText(name string) string {
	if name == "res" {
		return "unknown"
	}
	return ""
}

// PlainText is a text parameter as Matomo's generic reader gives it (spec §A.4): like Text, but without replacing what
// the database cannot store. Dimensions, location overrides, lang and ua are read this way.
func (r *Request) PlainText(name string) string { return php.ReadString(r.params, name, "") }

// Int is an integer parameter with the default that Matomo declares for it (spec §1.3): -1 for idgoal, search_count and
// the timings pf_*, 0 for the others. Text that is no integer gives the default.
func (r *Request) Int(name string) int64 {
	return r.intOr(name, defaultInt(name))
}

func (r *Request) intOr(name string, def int64) int64 {
	v, _ := r.params.Get(name)
	if v.IsNull() {
		return def
	}
	if n, ok := digits(v.Str()); ok {
		return n
	}
	return php.ReadInt(r.params, name, def)
}

func defaultInt(name string) int64 {
	switch name {
	case "idgoal", "search_count", "pf_net", "pf_srv", "pf_tfr", "pf_dm1", "pf_dm2", "pf_onl":
		return -1
	}
	return 0
}

// digits reads what nearly every integer parameter is.
func digits(s string) (n int64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// Float is a decimal parameter (spec §A.4). ok is false when it is absent or empty, which PHP tells from 0; text that
// is no number is 0. An array is a Rejection.
func (r *Request) Float(name string) (f float64, ok bool, err error) {
	d, err := r.decimal(name)
	return d.Value, d.Given, err
}

func (r *Request) decimal(name string) (php.Decimal, error) {
	if r.ctx != nil && !r.ctx.Behaviours.CheckedDecimals {
		return php.ReadComparedFloat(r.params, name), nil
	}
	d, err := php.ReadFloat(r.params, name)
	if err != nil {
		return d, Reject(WrongType, name)
	}
	return d, nil
}

// FloatOr is a decimal parameter, def when it is absent or no number: revenue=abc gives the goal's revenue (spec §8.3).
// An array is a Rejection.
func (r *Request) FloatOr(name string, def float64) (float64, error) {
	d, err := r.decimal(name)
	if err != nil || d.Number {
		return d.Value, err
	}
	return def, nil
}

// JSON is a structured parameter (spec §A.4): text is decoded, null when it is no JSON, other values are taken as they
// are. Strings in it are sanitised. present is false when the parameter is absent or empty.
func (r *Request) JSON(name string) (v php.Value, present bool) {
	v, present = php.ReadJSON(r.params, name)
	if name == "ec_items" && !r.ctx.Settings.CharsetUTF8MB4 {
		v = storableValue(v)
	}
	return v, present
}

// Has reports whether a parameter is set and not null.
func (r *Request) Has(name string) bool { return !r.params.Value(name).IsNull() }
