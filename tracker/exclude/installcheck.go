package exclude

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

const nonceParameter = "tracker_install_check"

// maxNonceAge is how long a nonce can be confirmed, in seconds.
const maxNonceAge = 30

// InstallCheckNonce is the nonce by which a request confirms that the tracking code is installed on a site (spec §2.2);
// ok is false for other requests. Such a request is excluded, and MarkNonce changes option
// JsTrackerInstallCheck_<idsite>, also when another rule excludes the request.
func InstallCheckNonce(r *request.Request) (nonce string, ok bool) {
	v := r.Params().Value(nonceParameter)
	if !r.Features().JsTrackerInstallCheck || php.Empty(v) || v.IsArray() || r.Site() == nil {
		return "", false
	}
	return php.ToString(v), true
}

// installCheck lets plugin JsTrackerInstallCheck have its say on a request that rule excludes so far. PHP fails when
// the nonce is an array.
func installCheck(r *request.Request, rule string) (string, error) {
	v := r.Params().Value(nonceParameter)
	switch {
	case !r.Features().JsTrackerInstallCheck, php.Empty(v):
		return rule, nil
	case v.IsArray():
		return "", request.Reject(request.WrongType, nonceParameter)
	case rule == "":
		return InstallCheck, nil
	}
	return rule, nil
}

// MarkNonce marks a nonce as successful in the value of option JsTrackerInstallCheck_<idsite> and drops what is older
// than 30 seconds at now, in unix seconds (spec §2.2). ok is false when the nonce is unknown or too old: the option
// then stays as it is.
func MarkNonce(option, nonce string, now int64) (updated string, ok bool) {
	stored, err := php.DecodeJSON(option)
	if err != nil {
		return "", false
	}
	if _, old := stored.Array().Get("nonce"); old {
		return "", false // the format of earlier versions
	}
	current := php.NewArray(stored.Array().Len())
	for key, check := range stored.Array().All() {
		if time := check.Array().Value("time"); php.Empty(time) || now-php.ToInt(time) <= maxNonceAge {
			current.Set(key, check)
		}
	}
	check := current.Value(nonce)
	if check.Array().Len() == 0 {
		return "", false
	}
	marked := check.Array().Clone()
	marked.Set("isSuccessful", php.Bool(true))
	current.Set(nonce, php.ArrayValue(marked))
	if updated, err = php.EncodeJSON(php.ArrayValue(current)); err != nil {
		return "", false
	}
	return updated, true
}
