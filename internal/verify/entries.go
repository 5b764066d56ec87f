package verify

import (
	"crypto/sha1" // Matomo's format
	"encoding/hex"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/queue"
)

// Entry is an entry of a queue that could be decoded.
type Entry struct {
	Queue    int
	Position int64 // in the queue, or the file, from 0
	Element  []byte
	Set      queue.RequestSet
}

// place is one request of a batch.
type place struct{ entry, request int }

// part are requests of a batch, in their order: those that are tracked in a comparison.
type part struct {
	entries []Entry
	places  []place
}

// whole are all requests of entries.
func whole(entries []Entry) part {
	p := part{entries: entries}
	for i := range entries {
		for n := range entries[i].Set.Requests {
			p.places = append(p.places, place{i, n})
		}
	}
	return p
}

// prefix are the first n.
func (p part) prefix(n int) part { return part{p.entries, p.places[:n]} }

// without leaves request i out.
func (p part) without(i int) part {
	rest := append([]place{}, p.places[:i]...)
	return part{p.entries, append(rest, p.places[i+1:]...)}
}

func (p part) len() int { return len(p.places) }

// filtered are the entries with the requests that are in the part, and where each of those is in it.
func (p part) filtered() (entries []Entry, index [][]int) {
	last := -1
	for i, place := range p.places {
		if place.entry != last {
			last = place.entry
			entry := p.entries[last]
			entry.Set.Requests = nil
			entries, index = append(entries, entry), append(index, nil)
		}
		n := len(entries) - 1
		entries[n].Set.Requests = append(entries[n].Set.Requests, p.entries[last].Set.Requests[place.request])
		index[n] = append(index[n], i)
	}
	return entries, index
}

// sets are the entries as PHP is given them: whole, with the numbers of the requests that it leaves out.
func (p part) sets() (sets []phpchild.Set, index []map[int]int) {
	last := -1
	for i, place := range p.places {
		if place.entry != last {
			last = place.entry
			sets, index = append(sets, phpchild.Set{Element: p.entries[last].Element}), append(index, make(map[int]int))
		}
		index[len(index)-1][place.request] = i
	}
	n := -1
	last = -1
	for _, place := range p.places {
		if place.entry == last {
			continue
		}
		last = place.entry
		n++
		for request := range p.entries[last].Set.Requests {
			if _, wanted := index[n][request]; !wanted {
				sets[n].Leave = append(sets[n].Leave, request)
			}
		}
	}
	return sets, index
}

// sites are those of the requests.
func (p part) sites() (ids []int64) {
	seen := make(map[int64]bool)
	for _, place := range p.places {
		id := php.ToInt(p.request(place).Value("idsite"))
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

func (p part) request(at place) *php.Array { return p.entries[at.entry].Set.Requests[at.request] }

// given is everything that the entries say, in small letters, and the visitor ids that follow from user ids: what is in
// it was not drawn at random.
func (p part) given() string {
	var b strings.Builder
	write := func(a *php.Array) {
		if a == nil {
			return
		}
		if text, err := php.EncodeJSON(php.ArrayValue(a)); err == nil {
			b.WriteString(strings.ToLower(text))
			b.WriteByte('\n')
		}
	}
	for i := range p.entries {
		set := &p.entries[i].Set
		write(set.Env.Server)
		write(set.Env.Cookie)
		for _, params := range set.Requests {
			write(params)
			if uid := php.ToString(params.Value("uid")); uid != "" {
				sum := sha1.Sum([]byte(uid))
				b.WriteString(hex.EncodeToString(sum[:]) + "\n")
			}
		}
	}
	return b.String()
}
