package php

// indexFrom is the length up to which an array is searched from end to end.
const indexFrom = 48

// keySet tells nearly all keys that an array does not have from those that it may have: most look-ups are for
// parameters that a request does not have. A key is one of its bits; deleted keys stay. Without it look-ups of a
// request's parameters (BenchmarkLookUp) take 64 % longer and decoding 6 %; with a map from 16 entries on instead,
// decoding takes 28 % longer.
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

// reindex makes the index anew; short arrays have none.
func (a *Array) reindex() {
	a.index = nil
	if len(a.entries) <= indexFrom {
		return
	}
	a.index = make(map[string]int, len(a.entries))
	for i := range a.entries {
		a.index[a.entries[i].key] = i
	}
}

// mergeDuplicates drops entries whose key occurred before and gives their value to the first one. It makes the index as
// it goes.
func (a *Array) mergeDuplicates() {
	all := a.entries
	if len(all) > indexFrom {
		a.index = make(map[string]int, len(all))
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
	if a.keys.mayHave(key) {
		if i := a.search(kept, key); i >= 0 {
			return i
		}
	}
	a.keys.add(key)
	if a.index != nil {
		a.index[key] = len(kept)
	}
	return len(kept)
}

// search looks for a key in the index, or without one in the entries from end to end.
func (a *Array) search(entries []entry, key string) int {
	if a.index != nil {
		if i, ok := a.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range entries {
		if entries[i].key == key {
			return i
		}
	}
	return -1
}
