package action

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/dimension/customvar"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const maxCategories = 5

// addProduct looks up the product that a page shows, whatever the kind of the action (spec §6.5). Texts are not
// trimmed.
func (a *Action) addProduct(r *request.Request) {
	page := pageVariables{r: r}
	if text, ok := page.parameter("_pkc", 5); ok {
		for n, category := range productCategories(text) {
			a.lookUp(FieldProductCategory1+Field(n), TypeProductCategory, category)
		}
	}
	if name, ok := page.parameter("_pkn", 4); ok {
		a.lookUp(FieldProductName, TypeProductName, name)
	}
	if sku, ok := page.parameter("_pks", 3); ok {
		a.lookUp(FieldProductSKU, TypeProductSKU, sku)
	}
}

// productCategories reads a category or a JSON list of up to five. A list drops what PHP takes for false and is empty
// when it is no JSON: ["a","",0,"b"] gives a and b. A list counts as one only if it begins with a text: [1] is the
// category "[1]".
func productCategories(text string) []string {
	if !strings.HasPrefix(text, `["`) {
		return []string{text}
	}
	list, err := php.DecodeJSON(text)
	if err != nil {
		return nil
	}
	var categories []string
	for _, category := range list.Array().All() {
		if len(categories) == maxCategories {
			break
		}
		if !php.Empty(category) {
			categories = append(categories, php.ToString(category))
		}
	}
	return categories
}

// productPrice is _pkp, 0 when it is no number, else the text of page-scope variable 2 if that is named _pkp.
func productPrice(r *request.Request) (store.NullText, error) {
	price, ok, err := r.Float("_pkp")
	switch {
	case err != nil:
		return store.NullText{}, err
	case ok:
		return store.Text(php.FloatString(price)), nil
	}
	page := pageVariables{r: r}
	if text, ok := page.variable("_pkp", 2); ok {
		return store.Text(text), nil
	}
	return store.NullText{}, nil
}

// pageVariables reads the page-scope custom variables in which trackers of old sent products, once and only if needed.
type pageVariables struct {
	r    *request.Request
	read bool
	vars []store.CustomVar
}

// parameter is a parameter's text without HTML entities, else the value of the variable of the same name in its slot.
func (p *pageVariables) parameter(name string, slot int) (string, bool) {
	if p.r.Has(name) {
		return php.Unsanitize(p.r.Text(name)), true
	}
	return p.variable(name, slot)
}

func (p *pageVariables) variable(name string, slot int) (string, bool) {
	if !p.read {
		p.read = true
		p.vars = customvar.Parse(p.r, "cvar", customvar.MinUsable)
	}
	if len(p.vars) < slot {
		return "", false
	}
	v := p.vars[slot-1]
	return v.Value.V, v.Name.V == name
}
