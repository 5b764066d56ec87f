package php

import "hash/maphash"

// indexFrom is the length up to which an array is searched from end to end.
const indexFrom = 12

// keyIndex is a hash table with open addressing: a slot holds the position of an entry plus one, 0 when it is free. Its length is a
// power of two and at least twice the number of entries.
type keyIndex []int32

// keySeed keeps senders of requests from choosing keys that collide.
var keySeed = maphash.MakeSeed()

// capacity is the number of entries that the index has room for.
func (x keyIndex) capacity() int { return len(x) / 2 }

// slot finds the slot that holds key, or the free one where it belongs.
func (x keyIndex) slot(entries []entry, key string) int {
	mask := len(x) - 1
	i := int(maphash.String(keySeed, key)) & mask
	for x[i] != 0 && entries[x[i]-1].key != key {
		i = (i + 1) & mask
	}
	return i
}

func (x keyIndex) find(entries []entry, key string) int { return int(x[x.slot(entries, key)]) - 1 }

// add enters the key at a position; it must not be there yet.
func (x keyIndex) add(entries []entry, position int) {
	x[x.slot(entries, entries[position].key)] = int32(position + 1)
}

func newKeyIndex(entries int) keyIndex {
	size := 2 * 16
	for size < entries*2 {
		size *= 2
	}
	return make(keyIndex, size)
}

// reindex makes the index anew, with room to grow; short arrays have none.
func (a *Array) reindex() {
	a.index = nil
	if len(a.entries) <= indexFrom {
		return
	}
	a.index = newKeyIndex(cap(a.entries))
	for i := range a.entries {
		a.index.add(a.entries, i)
	}
}

// mergeDuplicates drops entries whose key occurred before and gives their value to the first one. It reports whether it also made
// the index.
func (a *Array) mergeDuplicates() (indexed bool) {
	if len(a.entries) > indexFrom {
		a.index = newKeyIndex(len(a.entries))
	}
	kept := a.entries[:0]
	all := a.entries
	for _, e := range all {
		a.entries = kept
		if i := a.find(e.key); i >= 0 {
			kept[i].value = e.value
			continue
		}
		kept = append(kept, e)
		if a.index != nil {
			a.index.add(kept, len(kept)-1)
		}
	}
	a.entries = kept
	return a.index != nil
}
