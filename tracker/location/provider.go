package location

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/queuedtracking/queuedtracking/internal/parallel"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// Provider is what plugin Provider makes of whom an address belongs to: the internet provider, with its customer where
// that is another name; "" when neither is known (spec §V3.4).
func (l *Locator) Provider(languages, ip string, r *request.Request) string {
	if l.provider == nil { // languages tell nothing of it
		return ""
	}
	return l.find(visitor{languages, ip}, r).owner()
}

// HasProvider reports whether Provider will have an answer. It keeps none, as the first one counts (visitor).
func (l *Locator) HasProvider(languages, ip string, r *request.Request) bool {
	if l.provider == nil {
		return false
	}
	p, ok := l.known.GetIfPresent(visitor{languages, ip})
	if !ok {
		p, _ = l.provider.locate(ip, r)
	}
	return p.owner() != ""
}

func (p place) owner() string {
	switch {
	case php.EmptyString(p.organisation) && php.EmptyString(p.isp):
		return ""
	case php.EmptyString(p.isp):
		return p.organisation
	case php.EmptyString(p.organisation), php.LooseEqualStrings(p.organisation, p.isp):
		return p.isp
	}
	return p.isp + " - " + p.organisation
}

// Limits of looking names up.
const (
	knownHosts    = 50_000
	hostTTL       = 5 * time.Minute
	hostTimeout   = 5 * time.Second // of one address; the resolver's own limits count as well
	hostsAtOnce   = 64
	maxHostLength = 200 // bytes
)

// Hosts looks up the names of addresses and remembers them for some minutes. It can be used by several goroutines.
type Hosts struct {
	lookUp func(ctx context.Context, address string) (names []string, err error)
	known  *otter.Cache[string, string] // by address, as text: what to store
}

// NewHosts returns Hosts that ask lookUp, nil for the system's resolver.
func NewHosts(lookUp func(ctx context.Context, address string) (names []string, err error)) (*Hosts, error) {
	if lookUp == nil {
		lookUp = net.DefaultResolver.LookupAddr
	}
	known, err := otter.New(&otter.Options[string, string]{
		MaximumSize: knownHosts, ExpiryCalculator: otter.ExpiryWriting[string, string](hostTTL),
	})
	return &Hosts{lookUp, known}, err
}

// Learn looks up, many at a time, those addresses that are not known.
func (h *Hosts) Learn(ctx context.Context, addresses []string) {
	var unknown []string
	listed := make(map[string]bool, len(addresses))
	for _, address := range addresses {
		if _, known := h.known.GetIfPresent(address); !known && !listed[address] {
			listed[address] = true
			unknown = append(unknown, address)
		}
	}
	parallel.Each(len(unknown), hostsAtOnce, 1, func(i int) { h.Provider(ctx, unknown[i]) })
}

// Provider is what plugin Provider makes of an address's name (ProviderOfHost). An address without a name, or whose
// name cannot be found in time, is its own name.
func (h *Hosts) Provider(ctx context.Context, address string) string {
	if provider, known := h.known.GetIfPresent(address); known {
		return provider
	}
	within, cancel := context.WithTimeout(ctx, hostTimeout)
	defer cancel()
	host := address
	if names, err := h.lookUp(within, address); err == nil && len(names) > 0 {
		host = strings.TrimSuffix(names[0], ".")
	}
	provider := php.CutBytes(ProviderOfHost(php.Trim(php.ToLower(host))), maxHostLength)
	if ctx.Err() == nil {
		h.known.Set(address, provider)
	}
	return provider
}

// ProviderOfHost shortens the name of a host to its domain: two labels, three where the last but one is com, net, org
// or co. What is no name is "Ip".
func ProviderOfHost(host string) string {
	dot := strings.LastIndexByte(host, '.')
	if dot <= 0 || php.IsNumeric(host[dot:]) || len(host) < 5 {
		return "Ip"
	}
	labels := strings.Split(host, ".")
	n := len(labels)
	domain := labels[n-2] + "." + labels[n-1]
	switch labels[n-2] {
	case "com", "net", "org", "co":
		if n == 2 { // PHP puts nothing in front of the dot
			return "." + domain
		}
		return labels[n-3] + "." + domain
	}
	return domain
}
