package matomo

import (
	_ "embed"
	"fmt"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

//go:embed defaults.ini
var defaultsText string

// defaults stands in for config/global.ini.php.
func defaults() (*php.Array, error) {
	sections, err := parseINI(defaultsText, func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, fmt.Errorf("built-in defaults: %w", err)
	}
	return sections, nil
}
