package receive

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// parseMultipart reads the fields of a multipart form as PHP does for $_POST. Files are left out; a form that breaks
// off gives the fields before.
func parseMultipart(contentType string, body []byte) *php.Array {
	vars := &php.Array{}
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || parameters["boundary"] == "" {
		return vars
	}
	form := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	for range maxInputVars {
		field, err := form.NextRawPart()
		if err != nil {
			break
		}
		name := field.FormName()
		if name == "" || field.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(field)
		if err != nil {
			break
		}
		setVariable(vars, cutNUL(name), php.String(string(value)))
	}
	return vars
}
