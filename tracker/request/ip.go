package request

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// noAddress is the binary address of a client whose address cannot be read.
const noAddress = "\x00\x00\x00\x00"

type address struct{ text, binary string }

// IP is the client's address (spec §1.7): the parameter cip as it is, which needs authentication (a Rejection
// otherwise), else HeaderIP. binary has 4 or 16 bytes, all zero when text is no address.
func (r *Request) IP() (text, binary string, err error) {
	a, err := r.ip.get(r, (*Request).findIP)
	return a.text, a.binary, err
}

func (r *Request) findIP() (address, error) {
	text := r.Text("cip")
	if php.EmptyString(text) {
		text = r.HeaderIP()
	} else if err := r.authenticate("cip"); err != nil {
		return address{}, err
	}
	return address{text, binaryIP(text)}, nil
}

func binaryIP(text string) string {
	if ip, ok := php.ParseIP(text); ok {
		return string(ip)
	}
	return noAddress
}

// HeaderIP is the client's address as the HTTP request tells it (spec §1.7): from the first configured proxy header
// that has one, else the address of the peer; without port and network suffix. It need not be an address.
func (r *Request) HeaderIP() string {
	ip, _ := r.headerIP.get(r, (*Request).findHeaderIP)
	return ip
}

func (r *Request) findHeaderIP() (string, error) {
	peer := "0.0.0.0"
	if v := r.origin.Env.Server.Value("REMOTE_ADDR"); !v.IsNull() {
		peer = php.ToString(v)
	}
	return cleanIP(r.behindProxy(peer)), nil
}

// behindProxy is the address that the proxy headers give, else the peer's.
func (r *Request) behindProxy(peer string) string {
	for _, header := range r.ctx.Settings.ProxyClientHeaders {
		value := r.Server(header)
		if php.EmptyString(value) {
			continue
		}
		if ip := r.fromHeader(value, peer); ip != "" && !php.ContainsFold(ip, "unknown") {
			return ip
		}
	}
	return peer
}

// fromHeader takes a single address as it is, of a list the last one (or the first, as configured) that is no proxy.
func (r *Request) fromHeader(value, peer string) string {
	if strings.IndexByte(value, ',') < 0 {
		return headerElement(value)
	}
	found := ""
	for element := range strings.SplitSeq(value, ",") {
		element = headerElement(element)
		if php.EmptyString(element) || r.isProxy(element, peer) {
			continue
		}
		found = element
		if !r.ctx.Settings.ProxyIPReadLastInList {
			break
		}
	}
	return found
}

func headerElement(s string) string { return php.Trim(php.SanitizeInput(s)) }

// isProxy reports whether an address is among the configured proxies, to which the peer belongs when the first address
// of a list counts.
func (r *Request) isProxy(element, peer string) bool {
	settings := r.ctx.Settings
	first := !settings.ProxyIPReadLastInList
	if len(settings.ProxyIPs) == 0 && !first {
		return false
	}
	ip := []byte(binaryIP(cleanIP(element)))
	covers := func(proxy string) bool {
		if php.LooseEqualStrings(element, proxy) {
			return true
		}
		block, ok := php.ParseIPRange(proxy)
		return ok && block.Contains(ip)
	}
	for _, proxy := range settings.ProxyIPs {
		if covers(proxy) {
			return true
		}
	}
	return first && covers(peer)
}

// cleanIP removes white space, a network suffix and a port: "[::1]:80" is ::1, "1.2.3.4:80" is 1.2.3.4, "localhost:80"
// is localhost.
func cleanIP(s string) string {
	s = php.Trim(s)
	if slash := strings.LastIndexByte(s, '/'); slash >= 0 {
		s = s[:slash]
	}
	colon, dot := strings.LastIndexByte(s, ':'), strings.LastIndexByte(s, '.')
	if colon < 0 {
		return s
	}
	if bracket := strings.LastIndexByte(s, ']'); bracket >= 0 && s[0] == '[' {
		s = s[1:bracket]
	}
	// Positions are those before the brackets were removed, as in Matomo.
	if dot >= 0 && colon > dot || dot < 0 && strings.IndexByte(s, ':') == colon {
		s = php.CutBytes(s, colon)
	}
	return s
}
