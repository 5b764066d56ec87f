package matomo

import (
	"context"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
)

func TestHashesAreMatomos(t *testing.T) {
	const salt = "0123456789abcdef0123456789abcdef"
	hash := TokenHash("c1b2c3d4e5f60718293a4b5c6d7e8f92", salt)
	if want := "1b0922c8d049e23ef41b342257ce4e10a0bf048dbe89241d1259f42d8e79877428805e43a27518dcfbc7c596f2f93f5833b4480a92579532417a3c11b00306b1"; hash != want {
		t.Errorf("got %s", hash)
	}
	if got := TrackingHash(1, "a", "b"); got != "5aa9ac6571f12fe12fcf9f1f4a51caa29a47feff" { // SHA-1 of 1ab
		t.Errorf("got %s", got)
	}
}

func TestSuperuserToken(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		clock := newClock() // 2026-11-22 13:00:00
		mustExec(t, db,
			"INSERT INTO m_user_token_auth (idusertokenauth, login, password, last_used, date_expired, secure_only) VALUES "+
				"(1, 'root', 'fresh', NULL, NULL, 0), (2, 'root', 'used', '2026-11-22 12:50:01', '2026-11-22 13:00:01', 0), "+
				"(3, 'root', 'used long ago', '2026-11-22 12:50:00', NULL, 0), (4, 'root', 'secure', NULL, NULL, 1), "+
				"(5, 'root', 'expired', NULL, '2026-11-22 13:00:00', 0), (6, 'writer', 'writer', NULL, NULL, 0), (7, 'nobody', "+
				"'nobody', NULL, NULL, 0)")
		const now = "2026-11-22 13:00:00"
		tests := []struct {
			hash     string
			want     bool
			lastUsed string
		}{
			{"fresh", true, now},
			{"used", true, "2026-11-22 12:50:01"},
			{"used long ago", true, now},
			{"secure", false, ""},
			{"expired", false, ""},
			{"writer", false, now},
			{"nobody", false, ""},
			{"unknown", false, ""},
		}
		ctx := context.Background()
		i := open(t, db, clock, "")
		for _, tt := range tests {
			got, err := i.SuperuserToken(ctx, db, tt.hash, false)
			if err != nil || got != tt.want {
				t.Errorf("%s: %v, %v", tt.hash, got, err)
			}
			var lastUsed string
			_ = db.Get(&lastUsed, "SELECT COALESCE(CAST(last_used AS CHAR), '') FROM m_user_token_auth WHERE password = ?",
				tt.hash)
			if lastUsed != tt.lastUsed {
				t.Errorf("%s: last used %q, want %q", tt.hash, lastUsed, tt.lastUsed)
			}
		}
		clock.now = clock.now.Add(time.Hour)
		strict := open(t, db, clock, "only_allow_secure_auth_tokens = 1\n")
		for _, tt := range []struct {
			in           *Installation
			hash         string
			secure, want bool
		}{
			{strict, "fresh", false, false},
			{strict, "fresh", true, true},
			{strict, "secure", true, true},
			{i, "secure", true, true},
			{i, "secure", false, false},
			{i, "expired", true, false},
			{i, "writer", true, false},
		} {
			if got, err := tt.in.SuperuserToken(ctx, db, tt.hash, tt.secure); err != nil || got != tt.want {
				t.Errorf("%s, only secure tokens %v, came in a secure way %v: %v, %v, want %v", tt.hash, tt.in == strict,
					tt.secure, got, err, tt.want)
			}
		}
	})
}
