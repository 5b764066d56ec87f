package faults

import (
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

var budget = flag.Float64("faults.budget", 1, "how many times as many faults as usual")

// times is a number of faults within the budget.
func times(usual int) int { return max(1, int(float64(usual)**budget)) }

func TestMain(m *testing.M) {
	if job := os.Getenv(jobVariable); job != "" {
		os.Exit(work(job))
	}
	status := testserver.Run(m)
	made.print()
	os.Exit(status)
}

// made counts the faults of the whole suite.
var made tally

type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *tally) add(what string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = make(map[string]int)
	}
	c.counts[what] += n
}

func (c *tally) print() {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines := make([]string, 0, len(c.counts))
	for what, n := range c.counts {
		lines = append(lines, fmt.Sprintf("%8d %s", n, what))
	}
	sort.Slice(lines, func(i, j int) bool { return lines[i][9:] < lines[j][9:] })
	fmt.Printf("survived:\n%s\n", strings.Join(lines, "\n"))
}
