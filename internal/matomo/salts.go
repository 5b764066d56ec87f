package matomo

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// SaltKey names a daily fingerprint salt: a site and a local date of it, YYYY-MM-DD.
type SaltKey struct {
	SiteID int64
	Date   string
}

func (k SaltKey) option() string {
	return "fingerprint_salt_" + strconv.FormatInt(k.SiteID, 10) + "_" + k.Date
}

const (
	saltAlphabet = "abcdefghijklmnoprstuvwxyz0123456789" // Matomo's: without q
	saltLength   = 32
)

// FingerprintSalt returns the salt of a site and a local date (spec §4). Those of the days around now are part of the
// site; others are read from db, or created there. See FingerprintSalts.
func (i *Installation) FingerprintSalt(
	ctx context.Context, db sqlx.ExtContext, site *Site, date string,
) (string, error) {
	if salt, ok := site.Salts[date]; ok {
		return salt, nil
	}
	key := SaltKey{site.ID, date}
	salts, err := i.FingerprintSalts(ctx, db, []SaltKey{key})
	return salts[key], err
}

// FingerprintSalts returns the salts of several sites and dates: one query when all exist, three statements when some
// are created. All writers, Matomo among them, end up with the same salt: whoever comes first. db should not be in a
// transaction that lasts: others that need a salt created there wait for it.
func (i *Installation) FingerprintSalts(
	ctx context.Context, db sqlx.ExtContext, keys []SaltKey,
) (map[SaltKey]string, error) {
	salts := make(map[SaltKey]string, len(keys))
	missing, stored, err := i.storedSalts(ctx, db, keys, salts, "")
	if err != nil || len(missing) == 0 {
		return salts, err
	}
	if err := i.createSalts(ctx, db, missing, stored); err != nil {
		return nil, err
	}
	// A plain read inside a transaction would not see what another writer has just committed.
	lock := " LOCK IN SHARE MODE"
	if isSQLite(db) {
		lock = ""
	}
	missing, _, err = i.storedSalts(ctx, db, missing, salts, lock)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("option %s: no salt after it was written", missing[0].option())
	}
	return salts, nil
}

// storedSalts puts the salts that exist into salts and returns the keys of the others, with the unusable values of
// options that do exist.
func (i *Installation) storedSalts(ctx context.Context, db sqlx.ExtContext, keys []SaltKey, salts map[SaltKey]string, lock string) (
	missing []SaltKey, unusable map[SaltKey]string, err error,
) {
	if len(keys) == 0 {
		return nil, nil, nil
	}
	names := make([]string, len(keys))
	for n, key := range keys {
		names[n] = key.option()
	}
	values, err := i.options(ctx, db, names, lock)
	if err != nil {
		return nil, nil, err
	}
	unusable = make(map[SaltKey]string)
	for n, key := range keys {
		value, found := values[names[n]]
		if salt := saltOf(value); !php.EmptyString(salt) {
			salts[key] = salt
			continue
		}
		missing = append(missing, key)
		if found {
			unusable[key] = value
		}
	}
	return missing, unusable, nil
}

// saltOf takes the salt out of an option's value, "" when there is none.
func saltOf(option string) string {
	decoded, err := php.DecodeJSON(option)
	if err != nil {
		return ""
	}
	return php.ToString(decoded.Array().Value("value"))
}

// createSalts writes new salts for the keys, unless somebody else was faster.
func (i *Installation) createSalts(
	ctx context.Context, db sqlx.ExtContext, keys []SaltKey, unusable map[SaltKey]string,
) error {
	created := make(map[string]string, len(keys))
	for _, key := range keys {
		salt, err := randomString(i.random, saltAlphabet, saltLength)
		if err != nil {
			return err
		}
		value := `{"value":"` + salt + `","time":` + strconv.FormatInt(i.clock().Unix(), 10) + `}`
		old, exists := unusable[key]
		if !exists {
			created[key.option()] = value
			continue
		}
		update := "UPDATE " + i.Table("option") +
			" SET option_value = ?, autoload = 0 WHERE option_name = ? AND option_value = ?"
		if _, err := db.ExecContext(ctx, update, value, key.option(), old); err != nil {
			return fmt.Errorf("option %s: %w", key.option(), err)
		}
	}
	return i.createOptions(ctx, db, created, 0)
}

// readSalts gives the sites their salts of tomorrow, today, yesterday and the day before, by their own time zone.
func (i *Installation) readSalts(ctx context.Context, sites map[int64]*Site) error {
	if len(sites) == 0 {
		return nil
	}
	const day = 24 * time.Hour
	now := i.clock().Unix()
	var keys []SaltKey
	for _, id := range slices.Sorted(maps.Keys(sites)) {
		site := sites[id]
		site.Salts = make(map[string]string, 4)
		for _, offset := range []time.Duration{day, 0, -day, -2 * day} {
			date := php.LocalDate(now+int64(offset/time.Second), site.Location)
			keys = append(keys, SaltKey{id, date})
		}
	}
	salts, err := i.FingerprintSalts(ctx, i.db, keys)
	if err != nil {
		return fmt.Errorf("fingerprint salts: %w", err)
	}
	for key, salt := range salts {
		sites[key.SiteID].Salts[key.Date] = salt
	}
	return nil
}

// randomString draws length characters of alphabet, each as likely as the others.
func randomString(random io.Reader, alphabet string, length int) (string, error) {
	text := make([]byte, 0, length)
	limit := 256 - 256%len(alphabet)
	buffer := make([]byte, length)
	for len(text) < length {
		if _, err := io.ReadFull(random, buffer); err != nil {
			return "", fmt.Errorf("random source: %w", err)
		}
		for _, b := range buffer {
			if int(b) < limit && len(text) < length {
				text = append(text, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(text), nil
}
