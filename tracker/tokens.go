package tracker

import (
	"context"
	"sync"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// authenticator remembers what tokens may do for as long as the process lives, as Matomo does (spec §1.5 step 4).
type authenticator struct {
	installation *matomo.Installation
	db           *sqlx.DB
	mu           sync.Mutex
	superuser    map[tokenUse]bool
}

// tokenUse is how a token came: one for secure use only is somebody's in one way and nobody's in the other.
type tokenUse struct {
	hash   string
	secure bool
}

const maxRememberedTokens = 10_000

func newAuthenticator(i *matomo.Installation, db *sqlx.DB) *authenticator {
	return &authenticator{installation: i, db: db, superuser: make(map[tokenUse]bool)}
}

// during is the authenticator for requests that are read under a context. Requests ask while they are read, and keep
// the answer.
func (a *authenticator) during(ctx context.Context) request.Authenticator {
	return authentication{ctx, a}
}

type authentication struct {
	ctx context.Context
	*authenticator
}

// IsSuperuser implements request.Authenticator. Its error ends the batch: nobody knows whether to refuse the request.
func (a authentication) IsSuperuser(tokenHash string, secure bool) (bool, error) {
	is, err := a.authenticator.isSuperuser(a.ctx, tokenHash, secure)
	if err != nil {
		return false, databaseError{err}
	}
	return is, nil
}

func (a *authenticator) isSuperuser(ctx context.Context, tokenHash string, secure bool) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	use := tokenUse{tokenHash, secure}
	if known, ok := a.superuser[use]; ok {
		return known, nil
	}
	is, err := a.installation.SuperuserToken(ctx, a.db, tokenHash, secure)
	if err != nil {
		return false, err
	}
	if len(a.superuser) >= maxRememberedTokens {
		clear(a.superuser)
	}
	a.superuser[use] = is
	return is, nil
}
