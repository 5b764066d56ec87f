package store

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// cartOrderID is the idorder of the items of a cart.
const cartOrderID = "0"

// FindItems returns the items of a visit that belong to its cart or, with a value, to the order (spec §8.5.2), in the
// order of the primary key.
func (tx *Tx) FindItems(ctx context.Context, visit *Visit, order NullText) ([]Item, error) {
	t := &tx.s.items
	r := newReader(t)
	q := tx.begin("SELECT ")
	for n, i := range t.reads {
		q.add(separator(n), t.columns[i].sqlName)
	}
	q.add(" FROM ", t.sqlName, " WHERE `idvisit` = ").id(visit.ID).add(" AND `idorder` IN (").text(cartOrderID)
	if order.Valid {
		q.add(", ").text(order.V)
	}
	q.add(") ORDER BY `idorder`, `idaction_sku`")
	var items []Item
	err := tx.query(ctx, func(rows *sqlx.Rows) error {
		own := *visit // the column idvisit is read, too
		item := Item{Visit: &own}
		if err := r.scan(rows, &item); err != nil {
			return err
		}
		item.Visit = visit
		items = append(items, item)
		return nil
	})
	return items, err
}

// ItemUpdate is an item that is in the database.
type ItemUpdate struct {
	OrderID string // idorder before the update, the rest of the key is Row's
	Row     Item
}

// ApplyItems updates items of one visit and adds others (spec §8.5.2). New items are written by INSERT IGNORE; a
// *DataError is about an updated one. Values are conformed here.
func (tx *Tx) ApplyItems(ctx context.Context, updates []ItemUpdate, inserts []Item) error {
	rows := make([]*Item, len(updates))
	for i := range updates {
		rows[i] = &updates[i].Row
		if err := tx.s.ConformItem(rows[i], true); err != nil {
			return err
		}
	}
	if err := tx.moveItems(ctx, updates); err != nil {
		return err
	}
	all := make([]string, len(tx.s.items.columns))
	for i, c := range tx.s.items.columns {
		all[i] = c.sqlName
	}
	tail := tx.s.dialect.onDuplicate("`idvisit`, `idorder`, `idaction_sku`", all...)
	if err := insertRows(ctx, tx, &tx.s.items, insertion[Item]{verb: insertInto, tail: tail}, rows); err != nil {
		return err
	}
	fresh := make([]*Item, len(inserts))
	for i := range inserts {
		fresh[i] = &inserts[i]
		if err := tx.s.ConformItem(fresh[i], false); err != nil {
			return err
		}
	}
	return insertRows(ctx, tx, &tx.s.items, insertion[Item]{verb: tx.s.dialect.insertIgnore}, fresh)
}

// moveItems gives items that change hands, from the cart to an order, their new idorder. The rest of their values
// follows.
func (tx *Tx) moveItems(ctx context.Context, updates []ItemUpdate) error {
	moves := make(map[[2]string][]*Item)
	for i := range updates {
		if u := &updates[i]; u.OrderID != u.Row.OrderID {
			way := [2]string{u.OrderID, u.Row.OrderID}
			moves[way] = append(moves[way], &u.Row)
		}
	}
	for way, items := range moves {
		q := tx.begin("UPDATE ", tx.s.items.sqlName, " SET `idorder` = ").text(way[1])
		q.add(" WHERE `idvisit` = ").id(items[0].Visit.ID).add(" AND `idorder` = ").text(way[0]).add(" AND `idaction_sku` IN (")
		for i, item := range items {
			q.add(separator(i)).int(item.SKU.Number())
		}
		q.add(")")
		if _, err := tx.write(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}
