package cmd

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

const (
	// tableWidth is that of the table without graphs.
	tableWidth = len(rule) - 1
	// shortestGraph and longestGraph bound the columns of a graph; each is a look.
	shortestGraph = 6
	longestGraph  = 40
)

// graphs draw what monitor has seen while it ran. A nil *graphs draws nothing.
type graphs struct {
	looks []*snapshot // the earliest first
}

// add remembers a snapshot.
func (g *graphs) add(s *snapshot) {
	if g == nil {
		return
	}
	small := &snapshot{Time: s.Time, Queues: s.Queues, Total: s.Total, Rate: s.Rate}
	g.looks = append(g.looks, small)
	g.looks = g.looks[max(0, len(g.looks)-longestGraph):]
}

// drawn reports whether there is something to draw: a single look is none.
func (g *graphs) drawn() bool { return g != nil && len(g.looks) > 1 }

// columnsIn is the width of each of the two graphs beside the table; 0: they have no place there, or nothing to show.
func (g *graphs) columnsIn(columns int) int {
	if !g.drawn() {
		return 0
	}
	width := (columns - tableWidth - 2*len(" | ")) / 2
	if width < shortestGraph {
		return 0
	}
	return min(width, longestGraph)
}

// draw draws sets and change per second of a queue; id is allQueues for all of them.
func (g *graphs) draw(id, width int) (sets, changes string) {
	var lengths, paces []float64
	for _, s := range g.looks {
		n, rate := float64(s.Total), s.Rate
		switch {
		case id != allQueues && id < len(s.Queues):
			n, rate = float64(s.Queues[id].Sets), s.Queues[id].Rate
		case id != allQueues:
			n, rate = math.NaN(), nil
		}
		pace := math.NaN()
		if rate != nil {
			pace = -*rate
		}
		lengths, paces = append(lengths, n), append(paces, pace)
	}
	return terminal.Sparkline(lengths, width), terminal.Sparkline(paces, width)
}

const allQueues = -1

// beside are the graphs at the end of a line of the table, width columns each.
func (g *graphs) beside(id, width int) string {
	if width == 0 {
		return ""
	}
	sets, changes := g.draw(id, width)
	return " | " + sets + " | " + changes
}

// headings stand above the graphs beside the table.
func (g *graphs) headings(width int) string {
	if width == 0 {
		return ""
	}
	return fmt.Sprintf(" | %*s | %*s", width, "Sets", width, "Change/s"[:min(width, len("Change/s"))])
}

// below are the graphs where they have no place beside the table: of few queues each, else of all of them.
func (g *graphs) below(shown []queueState, columns int) string {
	const name, words = 10, len("  sets ") + len("  change/s ")
	width := min((columns-name-words)/2, longestGraph/2)
	if !g.drawn() || g.columnsIn(columns) > 0 || width < shortestGraph {
		return ""
	}
	var b strings.Builder
	line := func(title string, id int) {
		sets, changes := g.draw(id, width)
		fmt.Fprintf(&b, "%-*s  sets %s  change/s %s\n", name, title, sets, changes)
	}
	if len(shown) <= fewQueues {
		for _, q := range shown {
			line("Queue "+strconv.Itoa(q.ID), q.ID)
		}
	}
	line("Total", allQueues)
	return "\n" + b.String()
}
