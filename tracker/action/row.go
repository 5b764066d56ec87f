package action

import "github.com/queuedtracking/queuedtracking/tracker/store"

// IDResult is an id as Matomo's action classes give it for the entry and exit columns of a visit: false (not
// applicable), null or a number (spec §6.3).
type IDResult struct {
	False bool
	Null  bool
	ID    store.ActionID
}

// EntryURL is the "url id for entry/exit" (spec §6.3): a page view's id or 0, null for a site search, false for all
// others. ids gives the id of Lookups[i]; it is not asked for lookups with an empty name.
func (a *Action) EntryURL(ids func(i int) store.ActionID) IDResult {
	switch a.Type {
	case TypePageURL:
		return IDResult{ID: a.fieldID(FieldURL, ids)}
	case TypeSiteSearch:
		return IDResult{Null: true}
	}
	return IDResult{False: true}
}

// EntryName is the "name id for entry/exit" (spec §6.3): the id of a title or keyword, false for other actions and an
// empty title.
func (a *Action) EntryName(ids func(i int) store.ActionID) IDResult {
	if !a.CountsAsInteraction() {
		return IDResult{False: true}
	}
	id := a.fieldID(FieldName, ids)
	if id.IsZero() {
		return IDResult{False: true}
	}
	return IDResult{ID: id}
}

// fieldID is the id for a field, 0 when nothing is looked up for it.
func (a *Action) fieldID(field Field, ids func(i int) store.ActionID) store.ActionID {
	for i := range a.Lookups {
		if a.Lookups[i].Field == field {
			return a.id(i, ids)
		}
	}
	return store.NoAction
}

func (a *Action) id(i int, ids func(i int) store.ActionID) store.ActionID {
	if a.Lookups[i].Name == "" {
		return store.NoAction
	}
	return ids(i)
}

// Row returns the columns of log_link_visit_action that follow from the action (spec §5.9). Visit, times, referring
// ids, position, custom dimensions and custom variables are the caller's. ids gives the id of Lookups[i]; it is not
// asked for lookups with an empty name.
func (a *Action) Row(ids func(i int) store.ActionID) store.LinkAction {
	row := store.LinkAction{
		URL:          store.NoAction,
		PageviewID:   store.Text(a.pageviewID),
		SearchCount:  a.searchCount,
		ProductPrice: a.productPrice,
		CustomFloat:  a.customFloat,
		Performance:  a.performance,
	}
	switch a.Type {
	case TypePageURL:
		row.Name = store.NoAction
	case TypeSiteSearch:
		row.Name = store.NoAction
		row.URL = store.ActionID{}
		row.SearchCategory = store.Text(a.searchCategory)
	}
	for i := range a.Lookups {
		*column(&row, a.Lookups[i].Field) = a.id(i, ids)
	}
	return row
}

// column is the place of a field in a row.
func column(row *store.LinkAction, field Field) *store.ActionID {
	switch field {
	case FieldName:
		return &row.Name
	case FieldProductName:
		return &row.ProductName
	case FieldProductSKU:
		return &row.ProductSKU
	case FieldEventCategory:
		return &row.EventCategory
	case FieldEventAction:
		return &row.EventAction
	case FieldContentInteraction:
		return &row.ContentInteraction
	case FieldContentName:
		return &row.ContentName
	case FieldContentPiece:
		return &row.ContentPiece
	case FieldContentTarget:
		return &row.ContentTarget
	case FieldProductCategory1, FieldProductCategory2, FieldProductCategory3, FieldProductCategory4, FieldProductCategory5:
		return &row.ProductCategories[field-FieldProductCategory1]
	}
	return &row.URL
}
