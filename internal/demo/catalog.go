package demo

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
)

// catalog is what the generator chooses from.
type catalog struct {
	Agents     []agent
	Bots       []string
	Assistants []string // bots that fetch a page for somebody who asks an AI assistant
	AIAgents   []agent  // browsers that an AI assistant works with
	Languages  []choice
	Referrers  []choice
	Campaigns  []string // query strings
	Spammers   []string // referrers
	Sites      []site
}

type agent struct {
	Weight int
	UA     string
	Screen string
	Signed bool // its requests are signed as ChatGPT's
}

type choice struct {
	Weight int
	Value  string
}

type site struct {
	ID        int
	Weight    int
	Host      string
	Search    string // parameter of the site search
	Shop      bool
	Pages     [][2]string // path and title
	Searches  []string
	Downloads []string
	Outlinks  []string
	Events    [][3]string // category, action, name
	Products  []product
}

type product struct {
	SKU, Name, Category string
	Price               float64
}

func loadCatalog(files fs.FS) (*catalog, error) {
	text, err := fs.ReadFile(files, "demo/catalog.json")
	if err != nil {
		return nil, err
	}
	c := new(catalog)
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("demo/catalog.json: %w", err)
	}
	return c, nil
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// pickWeighted draws an element as often as its weight says.
func pickWeighted[T any](r *rand.Rand, list []T, weight func(T) int) T {
	total := 0
	for _, element := range list {
		total += weight(element)
	}
	n := r.IntN(total)
	for _, element := range list {
		if n -= weight(element); n < 0 {
			return element
		}
	}
	return list[len(list)-1]
}
