// Package spam is plugin TrackingSpamPrevention: which requests it excludes, and which addresses it bans
// (spec §V3.9). It knows nothing of visits and writes nothing: who plays the requests counts actions
// and keeps the option with the banned addresses.
package spam

import (
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// The rules that exclude a request, in the order in which they are asked.
const (
	BlockedAddress = "TrackingSpamPrevention: blocked address"
	Headless       = "TrackingSpamPrevention: headless browser"
	Organisation   = "TrackingSpamPrevention: organisation"
	BlockedRange   = "TrackingSpamPrevention: address of a cloud or banned"
	Country        = "TrackingSpamPrevention: country"
	Library        = "TrackingSpamPrevention: server-side library"
	TooManyActions = "TrackingSpamPrevention: too many actions" // spec §V3.9.4: when the visit is known
)

// Libraries tells whether a user agent, sanitised, is that of a programming library.
type Libraries interface{ IsLibrary(ua string) bool }

// Locator tells where a visitor is. ip is binary.
type Locator interface {
	Country(languages, ip string, r *request.Request) string      // code in lower case, xx where it is not known
	Organisation(languages, ip string, r *request.Request) string // "" where it is not known
}

// Checker checks requests. It is safe for concurrent use.
type Checker struct {
	libraries Libraries
	locator   Locator
}

// New returns a Checker.
func New(libraries Libraries, locator Locator) *Checker { return &Checker{libraries, locator} }

// Verdict is what the plugin makes of a request. Where Ranges is set the option's ranges have to be asked, too
// (BlockedRange), before Rule, which is one of the later rules then: what they hold depends on the requests in front.
type Verdict struct {
	Rule   string // "" for none
	Ranges bool
}

// Check looks at a request that nothing excludes so far. ip is its binary address, dataSaver whether it came through
// the proxy of Chrome's data saver: such requests are never excluded.
func (c *Checker) Check(r *request.Request, ip string, dataSaver bool) Verdict {
	s := r.General().Spam
	switch {
	case s == nil, dataSaver, within(s.AllowedIPs, ip):
		return Verdict{}
	case within(s.BlockedIPs, ip):
		return Verdict{Rule: BlockedAddress}
	case s.BlockHeadless && isHeadless(r):
		return Verdict{Rule: Headless}
	case c.isBlockedOrganisation(s, r, ip):
		return Verdict{Rule: Organisation}
	case c.isBlockedCountry(s, r, ip):
		return Verdict{Rule: Country, Ranges: true}
	case s.BlockLibraries && c.isLibrary(r.UserAgent()):
		return Verdict{Rule: Library, Ranges: true}
	}
	return Verdict{Ranges: true}
}

// Spares reports whether the allow list keeps an address from being banned for too many actions.
func Spares(s *matomo.SpamPrevention, b *matomo.Behaviours, ip string) bool {
	return b.SpamAllowedNotBanned && within(s.AllowedIPs, ip)
}

func within(ranges []php.IPRange, ip string) bool {
	if len(ranges) == 0 {
		return false
	}
	binary := []byte(ip)
	for _, r := range ranges {
		if r.Contains(binary) {
			return true
		}
	}
	return false
}

func (c *Checker) isBlockedOrganisation(s *matomo.SpamPrevention, r *request.Request, ip string) bool {
	if len(s.Organisations) == 0 || !r.Features().UserCountry {
		return false
	}
	organisation := c.locator.Organisation(r.Language(), ip, r)
	if php.EmptyString(organisation) {
		return false
	}
	for _, blocked := range s.Organisations {
		if php.ContainsFold(organisation, blocked) {
			return true
		}
	}
	return false
}

func (c *Checker) isBlockedCountry(s *matomo.SpamPrevention, r *request.Request, ip string) bool {
	list, included := s.ExcludedCountries, false
	if len(s.IncludedCountries) > 0 {
		list, included = s.IncludedCountries, true
	}
	if len(list) == 0 {
		return false
	}
	country := c.locator.Country(r.Language(), ip, r)
	for _, code := range list {
		if code == country {
			return !included
		}
	}
	return included
}

func (c *Checker) isLibrary(ua string) bool {
	return !php.EmptyString(ua) && c.libraries != nil && c.libraries.IsLibrary(ua)
}
