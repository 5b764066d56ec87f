package tracker

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// TestRememberedTokensAreBounded: anybody can send tokens, each other than the ones before.
func TestRememberedTokensAreBounded(t *testing.T) {
	config, db, err := demo.Install(t.Context(), os.DirFS("../testdata"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	installation, err := matomo.Open(t.Context(), config, db, time.Now, matomo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthenticator(installation, db)
	for i := range maxRememberedTokens {
		a.superuser[tokenUse{fmt.Sprint(i), false}] = false
	}
	for i := range 3 {
		hash := fmt.Sprint("new", i)
		if is, err := a.isSuperuser(t.Context(), hash, false); err != nil || is {
			t.Fatalf("%s: superuser %t, error %v, want neither", hash, is, err)
		}
		if _, known := a.superuser[tokenUse{hash, false}]; !known {
			t.Errorf("%s is not remembered", hash)
		}
		if got := len(a.superuser); got > maxRememberedTokens {
			t.Errorf("%d tokens are remembered, want at most %d", got, maxRememberedTokens)
		}
	}
}
