package php

import (
	"net/netip"
	"strings"
)

// ParseIP is inet_pton: 4 bytes for IPv4, 16 for IPv6. Leading zeros ("01.2.3.4") and zone ids are refused;
// ::ffff:1.2.3.4 stays 16 bytes long (spec §1.7).
func ParseIP(s string) (ip []byte, ok bool) {
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return nil, false
	}
	return addr.AsSlice(), true
}

// FormatIP is inet_ntop: the shortest text in lower case, with the last four bytes in decimal for IPv6 addresses that
// embed IPv4 (::ffff:1.2.3.4, ::1.2.3.4). It is "" when ip is neither 4 nor 16 bytes long.
func FormatIP(ip []byte) string {
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return ""
	}
	if isIPv4Compatible(ip) {
		return "::" + netip.AddrFrom4([4]byte(ip[12:])).String()
	}
	return addr.String()
}

// isIPv4Compatible reports whether ip is ::a.b.c.d with more than 16 bits used.
func isIPv4Compatible(ip []byte) bool {
	if len(ip) != 16 || ip[12]|ip[13] == 0 {
		return false
	}
	for _, b := range ip[:12] {
		if b != 0 {
			return false
		}
	}
	return true
}

// IPRange is a range of addresses of one family, both ends included.
type IPRange struct{ Low, High []byte }

// ParseIPRange reads an address, a block (192.0.2.0/24) or an address with wildcards at its end (192.0.*.*) as
// spec §A.8 says; ok is false for everything else.
func ParseIPRange(s string) (r IPRange, ok bool) {
	s = Trim(s)
	bits, cut := "", 0
	switch {
	case strings.IndexByte(s, '*') >= 0:
		if !validWildcards(s) {
			return IPRange{}, false
		}
		cut = strings.Count(s, "*")
		s = strings.ReplaceAll(s, "*", "0")
	default:
		var isBlock bool
		if s, bits, isBlock = strings.Cut(s, "/"); isBlock && !IsNumeric(bits) {
			return IPRange{}, false
		}
	}
	ip, ok := ParseIP(s)
	if !ok {
		return IPRange{}, false
	}
	size := len(ip) * 8
	prefix := size - cut*wildcardBits(len(ip))
	if bits != "" {
		if f := StringToFloat(bits); f < 0 || f > float64(size) {
			return IPRange{}, false
		}
		prefix = int(StringToInt(bits))
	}
	if prefix < 0 {
		return IPRange{}, false
	}
	return blockOf(ip, prefix), true
}

func wildcardBits(ipLen int) int {
	if ipLen == 4 {
		return 8
	}
	return 16
}

// validWildcards reports whether each "*" stands alone in its field and nothing but wildcards and single separators
// follows the first.
func validWildcards(s string) bool {
	first := strings.IndexByte(s, '*')
	if first > 0 && s[first-1] != '.' && s[first-1] != ':' {
		return false
	}
	for i := first + 1; i < len(s); i++ {
		isSeparator := s[i] == '.' || s[i] == ':'
		if !isSeparator && s[i] != '*' || s[i] == '*' && s[i-1] == '*' || strings.HasPrefix(s[i:], "::") {
			return false
		}
	}
	return true
}

func blockOf(ip []byte, prefix int) IPRange {
	r := IPRange{Low: ip, High: append([]byte(nil), ip...)}
	for i := range ip {
		mask := byte(0xff)
		switch left := prefix - i*8; {
		case left >= 8:
			continue
		case left > 0:
			mask >>= left
		}
		r.Low[i] &^= mask
		r.High[i] |= mask
	}
	return r
}

// Contains reports whether ip, as ParseIP gives it, lies within r. Addresses of the other family never do.
func (r IPRange) Contains(ip []byte) bool {
	return len(ip) == len(r.Low) && string(r.Low) <= string(ip) && string(ip) <= string(r.High)
}
