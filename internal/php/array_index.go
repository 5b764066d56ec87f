package php

import "hash/maphash"

// indexFrom is the length up to which an array is searched from end to end.
const indexFrom = 48

// keySet tells nearly all keys that an array does not have from those that it may have: most look-ups are for parameters that a request
// does not have. A key is one of its bits; deleted keys stay.
type keySet [4]uint64

func (s *keySet) add(key string) {
	i := keyBit(key)
	s[i/64] |= 1 << (i % 64)
}

func (s *keySet) mayHave(key string) bool {
	i := keyBit(key)
	return s[i/64]&(1<<(i%64)) != 0
}

// keyBit depends on length and three of the bytes.
func keyBit(key string) uint8 {
	n := len(key)
	if n == 0 {
		return 0
	}
	x := uint64(n)<<24 | uint64(key[0])<<16 | uint64(key[n/2])<<8 | uint64(key[n-1])
	return uint8(x * 0x9e3779b97f4a7c15 >> 56)
}

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
		if first := a.enter(all[:n], all[i].key); first < n {
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

// enter finds the position of a key among the entries that are kept. A new one comes behind them, and into the index.
func (a *Array) enter(kept []entry, key string) int {
	n := len(kept)
	if a.index != nil {
		slot := a.index.slot(kept, key)
		if a.index[slot] == 0 {
			a.index[slot] = int32(n + 1)
		}
		a.keys.add(key)
		return int(a.index[slot]) - 1
	}
	if a.keys.mayHave(key) {
		if i := scan(kept, key); i >= 0 {
			return i
		}
	}
	a.keys.add(key)
	return n
}
