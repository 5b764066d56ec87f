package matomo

import "github.com/queuedtracking/queuedtracking/internal/php"

// ProviderLookUps reports whether plugin Provider looks up the name of an address of which no provider is known
// (spec §V3.4). Its older versions always do.
func (c *Config) ProviderLookUps() bool {
	if !c.behaviours.ProviderWithoutDNS {
		return true
	}
	skip := c.Value("Provider", "skip_reverse_dns_lookup")
	isSet := !skip.IsNull() && !(skip.IsString() && skip.Str() == "")
	return isSet && !php.ToBool(skip)
}
