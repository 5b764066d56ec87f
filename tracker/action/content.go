package action

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// newContent reads the impression of content or an interaction with it. Its URL is stored whole.
func newContent(r *request.Request) *Action {
	a := &Action{Type: TypeContent}
	a.setURL(r)
	a.lookUp(FieldURL, TypeContent, a.URL)
	return a
}

func (a *Action) addContent(r *request.Request) error {
	name := php.Trim(r.Text("c_n"))
	if name == "" {
		return request.Reject(request.InvalidParameter, "c_n is blank")
	}
	a.lookUpUnlessBlank(FieldContentInteraction, TypeContentInteraction, r.Text("c_i"))
	a.lookUp(FieldContentName, TypeContent, name)
	a.lookUpUnlessBlank(FieldContentPiece, TypeContentPiece, r.Text("c_p"))
	a.lookUpUnlessBlank(FieldContentTarget, TypeContentTarget, r.Text("c_t"))
	return nil
}

func (a *Action) lookUpUnlessBlank(field Field, kind int64, text string) {
	if text = php.Trim(text); text != "" {
		a.lookUp(field, kind, text)
	}
}
