package spam

import (
	"bytes"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// List is the option TrackingSpamBlockedIpRanges: ranges of addresses by index (spec §V3.9.2). It is never changed.
type List struct{ byIndex *php.Array }

// ParseList reads the option. What is no array in JSON is an empty list.
func ParseList(option string) List {
	v, err := php.DecodeJSON(option)
	if err != nil || !v.IsArray() {
		return List{}
	}
	return List{v.Array()}
}

// at are the ranges of an index, none where there is something else.
func (l List) at(index string) *php.Array { return l.byIndex.Value(index).Array() }

// Bans reports whether an address, as text, is banned by a range of its own.
func (l List) Bans(ip string) bool {
	for _, item := range l.at(index(ip)).All() {
		if item.IsString() && item.Str() == rangeOf(ip) {
			return true
		}
	}
	return false
}

// With is the list in which an address is banned, too.
func (l List) With(ip string) List {
	if l.Bans(ip) {
		return l
	}
	ranges, all := l.at(index(ip)).Clone(), l.byIndex.Clone()
	ranges.Append(php.String(rangeOf(ip)))
	all.Set(index(ip), php.ArrayValue(ranges))
	return List{all}
}

// Option is the text in which Matomo stores the list. The error is that of text which is not UTF-8.
func (l List) Option() (string, error) { return php.EncodeJSON(php.ArrayValue(l.byIndex.Clone())) }

// index is by what the option groups ranges: the text of an address up to its first dot, or else its first colon.
func index(ip string) string {
	for _, separator := range []byte{'.', ':'} {
		if end := strings.IndexByte(ip, separator); end >= 0 {
			return ip[:end+1]
		}
	}
	return php.CutRunes(ip, 1)
}

// rangeOf is the range of one address.
func rangeOf(ip string) string {
	if strings.Contains(ip, ".") {
		return ip + "/32"
	}
	return ip + "/128"
}

// Ranges tells which addresses a list holds. It remembers what it was asked for, and is for one goroutine.
type Ranges struct {
	list List
	sets map[string]rangeSet
}

// NewRanges looks at a list.
func NewRanges(l List) *Ranges { return &Ranges{list: l, sets: make(map[string]rangeSet)} }

// List is what it looks at.
func (r *Ranges) List() List { return r.list }

// Holds reports whether an address, as text, lies in one of the ranges of its index, and whether there are any. What
// is no address lies in none.
func (r *Ranges) Holds(ip string) (holds, any bool) {
	binary, ok := php.ParseIP(ip)
	if !ok {
		return false, false
	}
	key := index(ip)
	ranges := r.list.at(key)
	if ranges.Len() == 0 {
		return false, false
	}
	set, ok := r.sets[key]
	if !ok {
		set = newRangeSet(ranges)
		r.sets[key] = set
	}
	return set.contains(binary), true
}

// rangeSet are ranges in the order of their families and starts, none of which overlap.
type rangeSet []php.IPRange

func newRangeSet(list *php.Array) rangeSet {
	var all []php.IPRange
	for _, item := range list.All() {
		if r, ok := php.ParseIPRange(php.ToString(item)); ok {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b php.IPRange) int { return compareIPs(a.Low, b.Low) })
	var set rangeSet
	for _, r := range all {
		if n := len(set); n > 0 && len(set[n-1].High) == len(r.Low) && bytes.Compare(r.Low, set[n-1].High) <= 0 {
			if bytes.Compare(r.High, set[n-1].High) > 0 {
				set[n-1].High = r.High
			}
			continue
		}
		set = append(set, r)
	}
	return set
}

func compareIPs(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}

func (s rangeSet) contains(ip []byte) bool {
	i, found := slices.BinarySearchFunc(s, ip, func(r php.IPRange, ip []byte) int { return compareIPs(r.Low, ip) })
	return found || i > 0 && s[i-1].Contains(ip)
}
