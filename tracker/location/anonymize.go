package location

import "strings"

// mapped are the first 12 bytes of an IPv6 address that stands for an IPv4 address.
const mapped = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff"

// keptBytes of an IPv6 address by mask length.
var keptBytes = [...]int{16, 8, 6, 3, 0}

// AnonymizeIP masks the end of a binary address (spec §9.3), maskLength is 0 … 4: of IPv4 addresses, also those in the
// form of IPv6 addresses, that many bytes become 0. ::1 counts as such a one: its first 12 bytes are 0.
func AnonymizeIP(ip string, maskLength int) string {
	maskLength = min(max(maskLength, 0), 4)
	kept := len(ip) - maskLength
	if len(ip) == 16 && !strings.HasPrefix(ip, mapped) && strings.Trim(ip[:12], "\x00") != "" {
		kept = keptBytes[maskLength]
	}
	if kept < 0 || strings.Trim(ip[kept:], "\x00") == "" {
		return ip
	}
	masked := []byte(ip)
	clear(masked[kept:])
	return string(masked)
}
