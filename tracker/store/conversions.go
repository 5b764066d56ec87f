package store

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// InsertConversions adds conversions (INSERT IGNORE) and tells how many were added, each time the server has said so:
// one whose key (idvisit, idgoal, buster) or whose order id exists is left out (spec §8.3). Their visits and actions
// must have been inserted.
func (tx *Tx) InsertConversions(ctx context.Context, conversions []*Conversion, inserted func(n int)) error {
	how := insertion[Conversion]{verb: tx.s.dialect.insertIgnore, done: func(affected int64) { inserted(int(affected)) }}
	return insertRows(ctx, tx, &tx.s.conversions, how, conversions)
}

// ConversionExists reports whether InsertConversions would leave c out: its key exists in visit visitID (0: a visit
// that is not inserted yet, which has no conversions), or its order id in the site.
func (tx *Tx) ConversionExists(ctx context.Context, visitID int64, c *Conversion) (bool, error) {
	t := &tx.s.conversions
	q := tx.begin("SELECT 1 FROM ", t.sqlName, " WHERE `idvisit` = ").int(visitID).add(" AND `idgoal` = ").int(c.GoalID)
	q.add(" AND `buster` = ").int(c.Buster)
	if c.OrderID.Valid {
		q.add(" UNION ALL SELECT 1 FROM ", t.sqlName,
			" WHERE `idsite` = ").int(c.SiteID).add(" AND `idorder` = ").text(c.OrderID.V)
	}
	exists := false
	err := tx.query(ctx, func(*sqlx.Rows) error {
		exists = true
		return nil
	})
	return exists, err
}

// UpdateCart turns the open cart of c's visit into c: a newer cart or an order (spec §8.5). Fields without a value keep
// what the cart had, as do URL, action and custom dimensions. Matomo takes a conversion that the database refuses here
// for not recorded, and one whose cart is gone for recorded.
func (tx *Tx) UpdateCart(ctx context.Context, c *Conversion) (recorded bool, err error) {
	t := &tx.s.conversions
	q := tx.begin("UPDATE ", t.sqlName, " SET ")
	n := 0
	for i := range t.columns {
		column := &t.columns[i]
		value := column.value(c)
		if column.fixed || isNull(value) && column.optional() {
			continue
		}
		q.add(separator(n), column.sqlName, " = ")
		column.typ.write(q, value)
		n++
	}
	q.add(" WHERE `idvisit` = ").id(c.Visit.ID).add(" AND `idgoal` = -1 AND `buster` = 0")
	if _, err = tx.exec(ctx); isDuplicate(err) {
		return false, nil // another conversion has the order id
	}
	return err == nil, err
}

// optional reports whether Matomo leaves the column out when there is no value, instead of writing NULL.
func (c *column[R]) optional() bool {
	switch c.name {
	case "idorder", "items", "revenue", "revenue_shipping", "revenue_subtotal", "revenue_tax", "revenue_discount", "pageviews_before":
		return true
	}
	return variableColumn.MatchString(c.name)
}
