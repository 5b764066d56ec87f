package verify

import (
	"context"

	"github.com/queuedtracking/queuedtracking/internal/rows"
)

// side is one of the two trackers that are compared, with its connection to the database. Nothing that it writes stays.
type side interface {
	// begin opens the transaction. What is read in it is as of now.
	begin(ctx context.Context) error
	// insert executes a statement of the comparison's own, which is none of what was written.
	insert(ctx context.Context, statement string, values ...any) error
	// track tracks the requests of a part, and tells what became of each.
	track(ctx context.Context, p part) ([]outcome, error)
	// ask asks within the transaction.
	ask(ctx context.Context, query string) ([][]*string, error)
	// wrote is what statements have written since begin.
	wrote(ctx context.Context) (footprint, error)
	// end takes everything back.
	end(ctx context.Context) error
	// restart begins with a process that remembers nothing.
	restart(ctx context.Context) error
	close()
}

// outcome is what became of a request.
type outcome struct {
	refused bool
	why     string // in the words of the side
}

func (o outcome) String() string {
	if !o.refused {
		return "not refused"
	}
	return "refused: " + o.why
}

// result is what a side has made of a part.
type result struct {
	outcomes []outcome
	rows     rows.Set
	written  footprint
	notes    []string
}
