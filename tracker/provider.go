package tracker

import (
	"context"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// locatedIP is the binary address by which a new visit is located: the request's, or the one that is stored when the
// privacy options want that.
func locatedIP(p *parsed, stored string) string {
	if p.req.General().Privacy.UseAnonymizedIPForVisit {
		return stored
	}
	return p.binaryIP
}

// provider is location_provider of a new visit (spec §V3.4).
func (t *Tracker) provider(ctx context.Context, p *parsed, ip string) store.NullText {
	if name := t.locator.Provider(p.lang, ip, p.req); name != "" {
		return store.Text(name)
	}
	address, ok := t.hostOf(p, ip)
	if !ok {
		return store.NullText{}
	}
	return store.Text(t.hosts.Provider(ctx, address))
}

// hostOf is the address whose name is looked up where the provider is not known. Requests of the log importer do not
// want that, and a masked address has no name.
func (t *Tracker) hostOf(p *parsed, ip string) (address string, ok bool) {
	if t.hosts == nil || !php.EmptyString(p.req.Text("dp")) {
		return "", false
	}
	address = php.FormatIP([]byte(ip))
	return address, !strings.HasSuffix(address, ".0")
}

// learnHosts looks up at once what the new visits of a batch may need: when they are played nobody should have to wait.
func (t *Tracker) learnHosts(ctx context.Context, b *Prepared) {
	if t.hosts == nil {
		return
	}
	var addresses []string
	for _, p := range b.requests {
		if !p.active() || p.facts.Ping {
			continue
		}
		ip := locatedIP(p, p.facts.LocationIP)
		if address, ok := t.hostOf(p, ip); ok && !t.locator.HasProvider(p.lang, ip, p.req) {
			addresses = append(addresses, address)
		}
	}
	t.hosts.Learn(ctx, addresses)
}
