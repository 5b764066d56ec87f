package queue

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/gomodule/redigo/redis"
)

// backendError is an error of a queue server: which server, what in plain words, and the cause for errors.Is.
type backendError struct {
	server string
	text   string
	kind   error // ErrUnavailable, ErrDenied, ErrFull or nil
	cause  error
}

func (e *backendError) Error() string { return e.server + ": " + e.text }

func (e *backendError) Unwrap() []error {
	if e.kind == nil {
		return []error{e.cause}
	}
	return []error{e.kind, e.cause}
}

// redisErrors words the errors of one server.
type redisErrors struct {
	server   string // "redis 127.0.0.1:6379"
	password string // never to be shown
}

// wrap words the error of a command, or of connecting.
func (r redisErrors) wrap(ctx context.Context, command string, err error) error {
	if ended := contextEnd(ctx); ended != nil {
		return fmt.Errorf("%s: %w", r.server, ended)
	}
	_, unsent := errors.AsType[connecting](err)
	err = r.withoutPassword(err)
	text, kind := describeNetwork(err)
	if unsent && isClosed(err) {
		text += " while connecting (is TLS right, and a client certificate if it wants one?)"
	}
	if reply, ok := errors.AsType[redis.Error](err); ok {
		text, kind = describeReply(string(reply))
		if kind == nil && !unsent && command != "" {
			text = command + ": " + text
		}
	}
	if full, ok := errors.AsType[fullError](err); ok {
		text = full.memory.String()
	}
	if addr := dialled(err); addr != "" && !strings.Contains(r.server, addr) {
		text = addr + ": " + text
	}
	return &backendError{r.server, text, kind, err}
}

// dialled is the address that could not be dialled, "" when that is not the error.
func dialled(err error) string {
	if network, ok := errors.AsType[*net.OpError](err); ok && network.Op == "dial" && network.Addr != nil {
		return network.Addr.String()
	}
	return ""
}

// withoutPassword replaces an error whose text holds the password: a server without the command AUTH repeats its
// arguments.
func (r redisErrors) withoutPassword(err error) error {
	if r.password == "" || !strings.Contains(err.Error(), r.password) {
		return err
	}
	text := strings.ReplaceAll(err.Error(), r.password, "***")
	var reply redis.Error
	if errors.As(err, &reply) {
		return redis.Error(text)
	}
	return errors.New(text)
}

// describeReply words an error that the server answered.
func describeReply(reply string) (text string, kind error) {
	if text := mismatch(reply); text != "" {
		return text, ErrDenied
	}
	code, _, _ := strings.Cut(reply, " ")
	switch code {
	case "NOAUTH":
		return "a password is needed (setting redisPassword)", ErrDenied
	case "WRONGPASS":
		return "wrong password or user (" + reply + ")", ErrDenied
	case "NOPERM":
		return "not allowed: " + reply, ErrDenied
	case "LOADING", "BUSY", "MASTERDOWN", "READONLY", "TRYAGAIN", "CLUSTERDOWN", "NOREPLICAS", "MISCONF":
		return reply, ErrUnavailable
	case "OOM":
		return memory{}.String(), ErrFull
	}
	lower := strings.ToLower(reply)
	switch {
	case strings.Contains(lower, "the user executing the script can't"):
		return "not allowed: " + reply, ErrDenied
	case strings.Contains(lower, "invalid password"): // Redis up to 5
		return "wrong password (" + reply + ")", ErrDenied
	case strings.Contains(lower, "no password is set"), strings.Contains(lower, "without any password configured"):
		return "the server has no password, but one is set (setting redisPassword)", ErrDenied
	case strings.Contains(lower, "max number of clients"):
		return reply, ErrUnavailable
	case strings.Contains(lower, "db index is out of range"):
		return "the server does not have this database (setting redisDatabase)", ErrDenied
	}
	return reply, nil
}

// describeNetwork words an error of the connection.
func describeNetwork(err error) (text string, kind error) {
	var (
		errno     syscall.Errno
		dns       *net.DNSError
		refused   *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		timeout   net.Error
		sentinels *sentinelError
	)
	switch {
	case errors.As(err, &sentinels):
		return sentinels.text, sentinels.kind
	case errors.As(err, &dns):
		return "host " + dns.Name + " not found (setting redisHost)", ErrUnavailable
	case errors.Is(err, os.ErrNotExist):
		return "no such unix socket (setting redisHost)", ErrUnavailable
	case errors.Is(err, os.ErrPermission):
		return "no permission to use the unix socket", ErrDenied
	case isClosed(err):
		return "connection closed by the server", ErrUnavailable
	case errors.As(err, &errno):
		return errno.Error(), ErrUnavailable
	case errors.As(err, &refused):
		return "certificate not accepted: " + refused.Err.Error(), ErrDenied
	case strings.Contains(err.Error(), "remote error: tls:"): // crypto/tls does not export the type
		return "TLS refused by the server: " + err.Error(), ErrDenied
	case errors.As(err, &record):
		return "the server does not speak TLS on this port", ErrDenied
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time", ErrUnavailable
	}
	return err.Error(), ErrUnavailable
}

func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// isForbidden reports whether the server is there but refuses this one command.
func isForbidden(err error) bool {
	return hasCode(err, "NOPERM") || hasCode(err, "ERR unknown command")
}

// hasCode reports whether err is an answer of the server that begins with code.
func hasCode(err error, code string) bool {
	reply, ok := errors.AsType[redis.Error](err)
	return ok && strings.HasPrefix(string(reply), code)
}

// inScript matches how Redis up to 6 tells of a command that failed in a script. Later ones answer as if it had been
// sent alone.
var inScript = regexp.MustCompile(`^ERR Error running script .*@user_script: ?[0-9]+: -?([A-Z]{3,} .*\S)`)

// causeInScript replaces the error of a script by that of the command in it.
func causeInScript(err error) error {
	if reply, ok := errors.AsType[redis.Error](err); ok {
		if m := inScript.FindStringSubmatch(string(reply)); m != nil {
			return redis.Error(m[1])
		}
	}
	return err
}

// contextEnd is why the context ended, nil when it has not. A connection whose deadline is the context's may notice
// first.
func contextEnd(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}
