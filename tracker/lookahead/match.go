package lookahead

import "github.com/queuedtracking/queuedtracking/tracker/store"

// matcher reports whether a visit satisfies the conditions of one half of a query, and whether that is known; match is
// false where it is not.
type matcher func(q *store.VisitQuery, v *store.Visit) (match, known bool)

func matchesVisitor(q *store.VisitQuery, v *store.Visit) (match, known bool) {
	return v.SiteID == q.SiteID && v.Visitor == q.Visitor && v.LastActionTime <= q.To, true
}

func matchesConfig(q *store.VisitQuery, v *store.Visit) (match, known bool) {
	if v.SiteID != q.SiteID || v.ConfigID != q.ConfigID || v.LastActionTime > q.To || v.LastActionTime < q.From {
		return false, true
	}
	if !q.UserID.Valid || !v.UserID.Valid {
		return true, true
	}
	return SameText(v.UserID.V, q.UserID.V)
}

// SameText reports whether the case-insensitive collations of Matomo's tables find the texts equal, and whether that
// is known: characters beyond ASCII and spaces at the end are compared differently from collation to collation ("José"
// and "jose" are equal in most).
func SameText(a, b string) (same, known bool) {
	if a == b {
		return true, true
	}
	for a != "" && b != "" {
		if !isPlain(a[0]) || !isPlain(b[0]) {
			return false, false
		}
		if lower(a[0]) != lower(b[0]) {
			return false, true
		}
		a, b = a[1:], b[1:]
	}
	rest := a + b
	return rest == "", rest == "" || rest[0] != ' ' && isPlain(rest[0])
}

func isPlain(c byte) bool { return c >= ' ' && c < 0x7f }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
