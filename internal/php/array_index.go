package php

import "hash/maphash"

// indexFrom is the length up to which an array is searched from end to end.
const indexFrom = 12

// keyIndex is a hash table with open addressing: a slot holds the position of an entry plus one, 0 when it is free. Its length is a
// power of two, and at least three of eight slots are free.
type keyIndex []int32

// keySeed keeps senders of requests from choosing keys that collide.
var keySeed = maphash.MakeSeed()

// capacity is the number of entries that the index has room for.
func (x keyIndex) capacity() int { return len(x) / 8 * 5 }

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
	size := 32
	for size/8*5 < entries {
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

// mergeDuplicates drops entries whose key occurred before and gives their value to the first one. It makes the index as it goes.
func (a *Array) mergeDuplicates() {
	all := a.entries
	if len(all) > indexFrom {
		a.index = newKeyIndex(len(all))
	}
	n := 0 // entries that are kept: they are before those that are not looked at yet
	for i := range all {
		first := a.enter(all[:n], &all[i])
		if first < n {
			all[first].value = all[i].value
			continue
		}
		if n < i {
			all[n] = all[i]
		}
		n++
	}
	clear(all[n:])
	a.entries = all[:n]
}

// enter finds the position of an entry's key among those that are kept. A new one comes behind them, and into the index.
func (a *Array) enter(kept []entry, e *entry) int {
	if a.index == nil {
		i := 0
		for i < len(kept) && kept[i].key != e.key {
			i++
		}
		return i
	}
	slot := a.index.slot(kept, e.key)
	if a.index[slot] == 0 {
		a.index[slot] = int32(len(kept) + 1)
	}
	return int(a.index[slot]) - 1
}
