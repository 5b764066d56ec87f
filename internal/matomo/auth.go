package matomo

import (
	"context"
	"crypto/sha1" // Matomo's format
	"crypto/sha512"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"
)

// lastUsedInterval is how often Matomo notes that a token was used.
const lastUsedInterval = 600 * time.Second

// TokenHash is the form in which table user_token_auth holds a token (spec §1.5 step 6). salt is [General]
// salt.
func TokenHash(token, salt string) string {
	sum := sha512.Sum512([]byte(token + salt))
	return hex.EncodeToString(sum[:])
}

// TrackingHash is the form in which a site's TrackingTokens hold a token.
func TrackingHash(siteID int64, tokenHash, salt string) string {
	sum := sha1.Sum([]byte(strconv.FormatInt(siteID, 10) + tokenHash + salt)) // Matomo's format
	return hex.EncodeToString(sum[:])
}

// MayTrack reports whether the token's owner may track this site with authentication by the rights granted for it
// (spec §1.5 step 6). Superusers have no such rights: see SuperuserToken.
func (s *Site) MayTrack(tokenHash string) bool {
	return s.TrackingTokens[TrackingHash(s.ID, tokenHash, s.Tracker.Salt)]
}

// SuperuserToken reports whether the token with this hash belongs to a superuser, and notes that it was used, at most
// every ten minutes (spec §1.5 step 7). Expired tokens do not count. Those for secure use only, and all when
// only_allow_secure_auth_tokens is set, count if the token came in a secure way.
func (i *Installation) SuperuserToken(
	ctx context.Context, db sqlx.ExtContext, tokenHash string, secure bool,
) (bool, error) {
	if !secure && i.config.Bool("General", "only_allow_secure_auth_tokens") {
		return false, nil
	}
	var row struct {
		ID        int64          `db:"idusertokenauth"`
		LastUsed  sql.NullString `db:"last_used"`
		Superuser bool           `db:"superuser_access"`
	}
	query := "SELECT t.idusertokenauth, CAST(t.last_used AS CHAR) AS last_used, u.superuser_access FROM " +
		i.Table("user_token_auth") +
		" t JOIN " + i.Table("user") + " u ON u.login = t.login " +
		"WHERE t.password = ? AND (t.date_expired IS NULL OR t.date_expired > ?)"
	if !secure {
		query += " AND t.secure_only = 0"
	}
	err := sqlx.GetContext(ctx, db, &row, query, tokenHash, i.now())
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("token: %w", err)
	}
	if lastUsed, err := time.ParseInLocation(time.DateTime, row.LastUsed.String, time.UTC); err == nil &&
		lastUsed.After(i.clock().Truncate(time.Second).Add(-lastUsedInterval)) {
		return row.Superuser, nil
	}
	update := "UPDATE " + i.Table("user_token_auth") + " SET last_used = ? WHERE idusertokenauth = ?"
	if _, err := db.ExecContext(ctx, update, i.now(), row.ID); err != nil {
		return false, fmt.Errorf("last use of a token: %w", err)
	}
	return row.Superuser, nil
}

// now is the present as the database writes it, in UTC.
func (i *Installation) now() string { return i.clock().UTC().Format(time.DateTime) }
