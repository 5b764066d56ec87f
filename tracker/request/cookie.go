package request

import (
	"crypto/sha1" // Matomo's format
	"encoding/hex"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

const (
	signatureMark   = ":_="
	signatureDigits = 2 * sha1.Size
)

// CookieField is a field of one of Matomo's cookies, sanitised (spec §2.4). found is false when the cookie or the field
// is missing or cannot be read. A cookie that PHP reads as an array (name[x]=…) is a Rejection.
func (r *Request) CookieField(cookie, field string) (text string, found bool, err error) {
	v := r.origin.Env.Cookie.Value(cookie)
	switch {
	case v.IsNull():
		return "", false, nil
	case v.IsArray():
		return "", false, Reject(WrongType, "cookie "+cookie)
	}
	content := php.ToString(v)
	fields, signed := cutSignature(content, r.ctx.Settings.Salt)
	if !signed && strings.IndexByte(content, '=') < 0 {
		return "", false, nil
	}
	v, found = decodeFields(fields, field, signed && fields != "")
	return php.Sanitize(php.ToString(v)), found, nil
}

// cutSignature removes the signature of cookies that Matomo made before version 4.
func cutSignature(content, salt string) (fields string, signed bool) {
	mark := len(content) - signatureDigits - len(signatureMark)
	if mark < 0 || !strings.HasPrefix(content[mark:], signatureMark) {
		return content, false
	}
	digits := mark + len(signatureMark)
	sum := sha1.Sum([]byte(content[:digits] + salt)) // Matomo's format
	if content[digits:] != hex.EncodeToString(sum[:]) {
		return content, false
	}
	return content[:mark], true
}

// decodeFields finds a field in "name=value:name=value". Values are numbers or base64; those of signed cookies are
// serialized as well, and one that cannot be unserialized spoils the cookie. The last field of a name counts.
func decodeFields(fields, field string, serialized bool) (found php.Value, ok bool) {
	for part := range strings.SplitSeq(fields, ":") {
		name, text, isPair := strings.Cut(part, "=")
		if !isPair {
			name, text = "", part[min(1, len(part)):] // PHP: the position false is 0
		}
		v := php.String(text)
		if !php.IsNumeric(text) {
			v = php.String(php.Base64Decode(text))
			if serialized {
				var err error
				if v, err = php.Unserialize(v.Str()); err != nil {
					return php.Null, false
				}
			}
		}
		if name == field {
			found, ok = v, !v.IsNull()
		}
	}
	return found, ok
}
