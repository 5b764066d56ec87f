package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// isSecret reports whether the value must not be shown, and may be in a file.
func (o override) isSecret() bool { return strings.Contains(o.flag, "password") && !o.isBool }

// fileVariable is the name of the environment variable that names a file with a secret, as Docker's images have it.
func (o override) fileVariable() string { return o.variable() + "_FILE" }

// credential is the name of a secret among systemd's credentials: LoadCredential=queuedtracking.redis-password:/etc/….
func (o override) credential() string { return "queuedtracking." + o.flag }

// found is a setting that a flag, the environment or a file has.
type found struct {
	value  string
	origin string // in words, "" when there is none
}

// secret looks for a secret in files: that of the variable, and systemd's credential. Errors name the file, never what
// is in it.
func (p *program) secret(o override) (found, error) {
	if !o.isSecret() {
		return found{}, nil
	}
	if file, ok := p.lookupEnv(o.fileVariable()); ok && file != "" {
		value, err := readSecret(file)
		if err != nil {
			return found{}, fmt.Errorf("%s: %w", o.fileVariable(), err)
		}
		return found{value, "the file of the variable " + o.fileVariable()}, nil
	}
	folder, ok := p.lookupEnv("CREDENTIALS_DIRECTORY")
	if !ok || folder == "" {
		return found{}, nil
	}
	value, err := readSecret(filepath.Join(folder, o.credential()))
	if errors.Is(err, fs.ErrNotExist) {
		return found{}, nil
	}
	if err != nil {
		return found{}, fmt.Errorf("credential %s: %w", o.credential(), err)
	}
	return found{value, "the credential " + o.credential()}, nil
}

// readSecret reads a file without the line end that editors and echo leave behind.
func readSecret(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if secret == "" {
		return "", fmt.Errorf("%s: is empty", file)
	}
	return secret, nil
}

// bothSet refuses a secret that is in a variable and, by another one, in a file: nobody could tell which is meant.
func (p *program) bothSet(o override) error {
	if file, ok := p.lookupEnv(o.fileVariable()); o.isSecret() && ok && file != "" {
		return usage("%s and %s are both set: unset one of them", o.variable(), o.fileVariable())
	}
	return nil
}
