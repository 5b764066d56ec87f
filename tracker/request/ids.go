package request

import (
	"crypto/rand"
	"crypto/sha1" // Matomo's format
	"encoding/hex"
	"io"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// idDigits is the length of a visitor id in hexadecimal digits.
const idDigits = 16

// UserID is the user id that the request gives, sanitised and, if the privacy options say so, anonymised (spec §1.8).
// "0" is one. On a site where user ids are switched off there is none.
func (r *Request) UserID() (string, bool) {
	if site := r.ctx.Site; site != nil && site.UserIDDisabled {
		return "", false
	}
	uid := r.Text("uid")
	return uid, uid != ""
}

// VisitorID is the visitor id that the request gives (spec §1.8), from the first of: the user id, cid, the third-party
// cookie, _id. Digits that are not hexadecimal count as 0. A cid that is not 16 bytes long is a Rejection.
func (r *Request) VisitorID() (id store.BinaryID, ok bool, err error) {
	v, err := r.visitor.get(r, (*Request).findVisitorID)
	return v.id, v.ok, err
}

func (r *Request) findVisitorID() (visitorID, error) {
	if uid, _ := r.UserID(); r.ctx.Settings.UserIDOverwritesVisitorID && !php.EmptyString(uid) {
		sum := sha1.Sum([]byte(uid)) // Matomo's format
		return visitorID{store.BinaryID(sum[:8]), true}, nil
	}
	if cid := r.Text("cid"); !php.EmptyString(cid) {
		if len(cid) != idDigits {
			return visitorID{}, Reject(InvalidParameter, "cid is not 16 characters long")
		}
		return visitorID{unhex(cid), true}, nil
	}
	if r.ctx.General.Privacy.ForceCookielessTracking {
		return visitorID{}, nil
	}
	if r.ctx.Settings.UseThirdPartyIDCookie {
		text, _, err := r.CookieField(r.ctx.Settings.CookieName, "0")
		if err != nil {
			return visitorID{}, err
		}
		if len(text) == idDigits {
			return visitorID{unhex(text), true}, nil
		}
	}
	if text := r.PlainText("_id"); len(text) >= idDigits {
		return visitorID{unhex(text), true}, nil
	}
	return visitorID{}, nil
}

// unhex reads the first 16 digits as PHP's pack("H*") does, with 0 for what is no digit: "zz23456789abcdeg" is
// 0023456789abcde0.
func unhex(s string) (id store.BinaryID) {
	for i := range id {
		id[i] = nibble(s[2*i])<<4 | nibble(s[2*i+1])
	}
	return id
}

func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0
}

// anonymize replaces user id and order id by hashes (spec §9.4). The hash of an order id is random: the same order
// twice is two orders.
func (r *Request) anonymize() {
	if salt := r.ctx.General.UserIDSalt; r.Privacy().AnonymizeUserID && !php.EmptyString(salt) {
		r.replace("uid", func(uid string) string { return hexSHA1(uid + salt) })
	}
	if r.Privacy().AnonymizeOrderID {
		r.replace("ec_id", func(order string) string { return hexSHA1(r.randomText() + order + r.ctx.Settings.Salt) })
	}
}

// replace gives a text parameter another value unless it is empty.
func (r *Request) replace(name string, by func(string) string) {
	if text := r.Text(name); text != "" {
		r.set(name, by(text))
		r.texts = r.texts[:0]
	}
}

func (r *Request) randomText() string {
	source := r.ctx.Random
	if source == nil {
		source = rand.Reader
	}
	var b [16]byte
	// A source that ends leaves zeros: the id is then less unique, and no request is lost for it.
	_, _ = io.ReadFull(source, b[:])
	return string(b[:])
}

func hexSHA1(s string) string {
	sum := sha1.Sum([]byte(s)) // Matomo's format
	return hex.EncodeToString(sum[:])
}
