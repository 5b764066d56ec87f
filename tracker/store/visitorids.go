package store

import (
	"context"
	"slices"
)

// The indexes that find the rows of a visit.
const (
	linkVisit = "index_idvisit" // of log_link_visit_action
	primary   = "PRIMARY"       // of log_conversion and log_conversion_item
)

// VisitorChange is a visit whose idvisitor has changed.
type VisitorChange struct {
	Visit  *Visit
	Before []BinaryID // what it was
	After  BinaryID
}

// SpreadVisitorIDs lets the changes reach the visits' actions, conversions and items, as far as these have one of the
// ids before (spec §V1.4). All rows of the visits are locked, and the gaps around them: nothing that
// inserts such rows may be under way and wait for this transaction.
func (tx *Tx) SpreadVisitorIDs(ctx context.Context, changes []VisitorChange) error {
	// others have no items
	shoppers := slices.DeleteFunc(slices.Clone(changes), func(c VisitorChange) bool { return c.Visit.GoalBuyer.V == 0 })
	for _, t := range [...]struct {
		sqlName, hint string
		changes       []VisitorChange
	}{
		{tx.s.links.sqlName, tx.s.hints[linkVisit], changes},
		{tx.s.conversions.sqlName, tx.s.hints[primary], changes},
		{tx.s.items.sqlName, tx.s.hints[primary], shoppers},
	} {
		rest := t.changes
		for len(rest) > 0 {
			q := tx.begin("UPDATE ", t.sqlName, t.hint, " SET `idvisitor` = CASE `idvisit`")
			part := rest[:min(len(rest), maxChanged)]
			for _, c := range part {
				q.add(" WHEN ").id(c.Visit.ID).add(" THEN ").blob(c.After[:])
			}
			q.add(" END WHERE ")
			for n, c := range part {
				if n > 0 {
					q.add(" OR ")
				}
				q.add("`idvisit` = ").id(c.Visit.ID).add(" AND `idvisitor` IN (")
				for i, id := range c.Before {
					q.add(separator(i)).blob(id[:])
				}
				q.add(")")
			}
			if _, err := tx.write(ctx, nil); err != nil {
				return err
			}
			rest = rest[len(part):]
		}
	}
	return nil
}
