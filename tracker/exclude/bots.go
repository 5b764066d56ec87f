package exclude

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// Networks from which crawlers come that look like browsers (spec §2.1).
var (
	googleNetworks = blocks("216.239.32.0/19", "64.233.160.0/19", "66.249.80.0/20", "72.14.192.0/18", "209.85.128.0/17",
		"66.102.0.0/20",
		"74.125.0.0/16", "64.18.0.0/20", "207.126.144.0/20", "173.194.0.0/16")
	otherNetworks = blocks(
		// Microsoft
		"64.4.0.0/18", "65.52.0.0/14", "157.54.0.0/15", "157.56.0.0/14", "157.60.0.0/16", "207.46.0.0/16", "207.68.128.0/18",
		"207.68.192.0/20", "131.253.26.0/20", "131.253.24.0/20",
		// Yahoo
		"72.30.198.0/20", "72.30.196.0/20", "98.137.207.0/20",
		"1.202.218.8")
)

// block is a range of IPv4 addresses, both ends included.
type block struct{ low, high uint32 }

// blocks sorts networks by their start. A network's address may lie inside of it: 72.30.198.0/20 begins at 72.30.192.0.
func blocks(networks ...string) []block {
	list := make([]block, 0, len(networks))
	for _, network := range networks {
		r, _ := php.ParseIPRange(network)
		list = append(list, block{binary.BigEndian.Uint32(r.Low), binary.BigEndian.Uint32(r.High)})
	}
	slices.SortFunc(list, func(a, b block) int { return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high)) })
	return slices.Compact(list)
}

func inBlocks(list []block, ip uint32) bool {
	i, found := slices.BinarySearchFunc(list, ip, func(b block, ip uint32) int { return cmp.Compare(b.low, ip) })
	return found || i > 0 && ip <= list[i-1].high
}

// isBotAddress reports whether a client's address belongs to crawlers. Google's do not when the request came through
// the proxy of Chrome's data saver. As in Matomo the answer for an address is the one of its first request (spec §C.5):
// only Google's depend on more than the address.
func (c *Checker) isBotAddress(ip string, r *request.Request) bool {
	if len(ip) != 4 {
		return false
	}
	n := number(ip)
	if !inBlocks(googleNetworks, n) {
		return inBlocks(otherNetworks, n)
	}
	return c.google.get(ip, func() bool { return !namesDataSaver(r) })
}

func number(ip string) uint32 { return binary.BigEndian.Uint32([]byte(ip)) }

func namesDataSaver(r *request.Request) bool {
	return strings.Contains(php.ToLower(r.Server("HTTP_VIA")), "chrome-compression-proxy")
}

// isDataSaver reports whether a request came through the proxy of Chrome's data saver, from one of Google's networks.
func isDataSaver(ip string, r *request.Request) bool {
	return len(ip) == 4 && namesDataSaver(r) && inBlocks(googleNetworks, number(ip))
}
