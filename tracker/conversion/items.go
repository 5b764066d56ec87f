package conversion

import (
	"math"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// The positions of an item's fields in the request.
const (
	itemSKU = iota
	itemName
	itemCategory
	itemPrice
	itemQuantity
)

const (
	maxCategories  = 5
	lookupsPerItem = 2 + maxCategories

	cartOrderID = "0" // idorder of the items of a cart
)

// item is what needs no id.
type item struct {
	price    string
	quantity int64
}

// readItems reads ec_items (spec §8.5.1). JSON that cannot be read counts as no items.
func (e *Ecommerce) readItems(r *request.Request) error {
	given, _ := r.JSON("ec_items")
	if php.Empty(given) {
		return nil
	}
	if !given.IsArray() {
		e.Unreadable = true
		return nil
	}
	list := php.UnsanitizeValue(given).Array()
	limited := r.Context().Behaviours.AmountLimit
	e.items = make([]item, 0, list.Len())
	e.Lookups = make([]action.Lookup, 0, lookupsPerItem*list.Len())
	for _, v := range list.All() {
		sku := itemField(v, itemSKU)
		if php.Empty(sku) {
			continue
		}
		e.lookUp(action.FieldProductSKU, action.TypeProductSKU, php.Trim(joined(sku)))
		e.lookUp(action.FieldProductName, action.TypeProductName, php.Trim(joined(notEmpty(itemField(v, itemName)))))
		if err := e.lookUpCategories(notEmpty(itemField(v, itemCategory))); err != nil {
			return err
		}
		it := item{price: readPrice(itemField(v, itemPrice), limited), quantity: readQuantity(itemField(v, itemQuantity))}
		e.items = append(e.items, it)
		e.quantity = saturatingSum(e.quantity, it.quantity)
	}
	return nil
}

// saturatingSum stands for PHP's sum, which goes on as a float beyond 64 bits: either is out of the column's range.
func saturatingSum(a, b int64) int64 {
	switch sum := a + b; {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	default:
		return sum
	}
}

// itemField is a field of an item. An item that is no array is a text, of which PHP takes the bytes: "abc" is sku a,
// name b, category c.
func itemField(v php.Value, position int) php.Value {
	if v.IsArray() {
		return v.Array().Value(strconv.Itoa(position))
	}
	text := v.Str()
	if position >= len(text) {
		return php.Null
	}
	return php.String(text[position : position+1])
}

func notEmpty(v php.Value) php.Value {
	if php.Empty(v) {
		return php.Null
	}
	return v
}

// joined is a text, or a list of texts with commas.
func joined(v php.Value) string {
	if !v.IsArray() {
		return php.ToString(v)
	}
	texts := make([]string, 0, v.Array().Len())
	for _, text := range v.Array().All() {
		texts = append(texts, php.ToString(text))
	}
	return strings.Join(texts, ",")
}

func (e *Ecommerce) lookUp(field action.Field, kind int64, name string) {
	e.Lookups = append(e.Lookups, action.NewLookup(field, kind, name))
}

// lookUpCategories adds exactly five lookups. Empty categories of a list are left out; those of one text are not. A
// list in the list is a TypeError in PHP.
func (e *Ecommerce) lookUpCategories(v php.Value) error {
	var names [maxCategories]string
	n := 0
	if !v.IsArray() {
		names[0] = php.Trim(php.ToString(v))
	}
	for _, category := range v.Array().All() {
		if category.IsArray() {
			return request.Reject(request.WrongType, "ec_items: list in a list of categories")
		}
		name := php.Trim(php.ToString(category))
		if php.EmptyString(name) {
			continue
		}
		if n == maxCategories {
			break
		}
		names[n] = name
		n++
	}
	for i, name := range names {
		e.lookUp(action.FieldProductCategory1+action.Field(i), action.TypeProductCategory, name)
	}
	return nil
}

func readPrice(v php.Value, limited bool) string {
	if !v.IsString() || !php.IsNumeric(v.Str()) {
		return "0"
	}
	return roundPrice(v.Str(), limited)
}

// roundPrice rounds the price of an item; one that is too large is 0.
func roundPrice(price string, limited bool) string {
	if tooLarge(limited, php.StringToFloat(price)) {
		return "0"
	}
	return roundText(price)
}

func readQuantity(v php.Value) int64 {
	if php.Empty(v) || !v.IsString() || !php.IsNumeric(v.Str()) {
		return 1
	}
	return php.StringToInt(v.Str())
}

// Rows are the items as rows of log_conversion_item that belong to the conversion c. ids gives the id of Lookups[i];
// it is not asked for lookups with an empty name.
func (e *Ecommerce) Rows(c *store.Conversion, ids func(i int) store.ActionID) []store.Item {
	id := func(i int) store.ActionID {
		if e.Lookups[i].Name == "" {
			return store.NoAction
		}
		return ids(i)
	}
	rows := make([]store.Item, len(e.items))
	for n, it := range e.items {
		first := n * lookupsPerItem
		row := store.Item{SKU: id(first), Name: id(first + 1), Price: it.price, Quantity: it.quantity}
		for i := range row.Categories {
			row.Categories[i] = id(first + 2 + i)
		}
		rows[n] = belongingTo(c, row)
	}
	return rows
}

// belongingTo sets the columns that an item has from its cart or order.
func belongingTo(c *store.Conversion, row store.Item) store.Item {
	row.Visit, row.SiteID, row.Visitor, row.ServerTime = c.Visit, c.SiteID, c.Visitor, c.ServerTime
	row.OrderID = cartOrderID
	if c.OrderID.Valid {
		row.OrderID = c.OrderID.V
	}
	return row
}

// SyncItems compares the items of a cart or order with those that the visit has in the database under its order id or
// "0", the cart (spec §8.5.2). All of the latter are updated: they get the new values, or are marked as deleted, and
// move to the order. Items that are new are inserted; of equal skus the first is inserted but the last updates. limited
// says that amounts have a limit, which also holds for prices that are marked as deleted.
func SyncItems(
	c *store.Conversion, stored, rows []store.Item, limited bool,
) (updates []store.ItemUpdate, inserts []store.Item) {
	for _, old := range stored {
		update := store.ItemUpdate{OrderID: old.OrderID}
		if n := lastWithSKU(rows, old.SKU); n >= 0 {
			update.Row = rows[n]
		} else {
			update.Row = belongingTo(c, old)
			update.Row.Price = roundPrice(old.Price, limited)
			update.Row.Deleted = true
		}
		updates = append(updates, update)
	}
	for n, row := range rows {
		if lastWithSKU(stored, row.SKU) < 0 && lastWithSKU(rows[:n], row.SKU) < 0 {
			inserts = append(inserts, row)
		}
	}
	return updates, inserts
}

// lastWithSKU is the position of the last row with a sku, -1 when there is none.
func lastWithSKU(rows []store.Item, sku store.ActionID) int {
	for n := len(rows) - 1; n >= 0; n-- {
		if rows[n].SKU.Same(sku) {
			return n
		}
	}
	return -1
}
