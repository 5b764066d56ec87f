package php

import (
	"strconv"
	"strings"
)

// URL holds the components that parse_url finds. A component can be present and empty; Has… tells.
type URL struct {
	Scheme, User, Pass, Host, Path, Query, Fragment                               string
	Port                                                                          int
	HasScheme, HasUser, HasPass, HasHost, HasPort, HasPath, HasQuery, HasFragment bool
}

// ParseURL is PHP's parse_url (spec §A.6); ok is false where that gives false. Control characters in a component become
// "_".
func ParseURL(s string) (u URL, ok bool) {
	colon := strings.IndexByte(s, ':')
	switch {
	case colon < 0:
		return parseRelative(s, u)
	case colon == 0:
		return parsePort(s, colon)
	}
	for i := 0; i < colon; i++ {
		if isSchemeByte(s[i]) {
			continue
		}
		if colon+1 < len(s) && !strings.ContainsAny(s[:colon], "?#") {
			return parsePort(s, colon)
		}
		return parseRelative(s, u)
	}
	return parseScheme(s, colon)
}

func isSchemeByte(b byte) bool { return isAlphaNumeric(b) || b == '+' || b == '.' || b == '-' }

// parseScheme goes on after text before the first colon that can be a scheme, a host (a.com:80) or both.
func parseScheme(s string, colon int) (URL, bool) {
	rest := s[colon+1:]
	if rest != "" && rest[0] != '/' {
		if end := skipDigits(rest, 0); end < 6 && (end == len(rest) || rest[end] == '/') {
			return parsePort(s, colon)
		}
	}
	u := URL{Scheme: component(s[:colon]), HasScheme: true}
	switch {
	case rest == "":
		return u, true
	case !strings.HasPrefix(rest, "//"):
		return parsePath(rest, u)
	case EqualFold(u.Scheme, "file") && strings.HasPrefix(rest, "///"):
		if len(rest) > 4 && rest[4] == ':' {
			return parsePath(rest[3:], u)
		}
		return parsePath(rest[2:], u)
	}
	return parseAuthority(rest[2:], u)
}

// parsePort looks for a port after the first colon, as in "h:80/x"; the authority is read once more afterwards.
func parsePort(s string, colon int) (URL, bool) {
	digits := s[colon+1:]
	end := skipDigits(digits, 0)
	if digits == "" {
		return URL{}, false
	}
	if end == 0 || end > 5 || end < len(digits) && digits[end] != '/' {
		return parseRelative(s, URL{})
	}
	port, _ := strconv.Atoi(digits[:end])
	if port > 65535 {
		return URL{}, false
	}
	return parseAuthority(strings.TrimPrefix(s, "//"), URL{Port: port, HasPort: true})
}

// parseRelative goes on with the authority after "//", with the path otherwise.
func parseRelative(s string, u URL) (URL, bool) {
	if rest, ok := strings.CutPrefix(s, "//"); ok {
		return parseAuthority(rest, u)
	}
	return parsePath(s, u)
}

// parseAuthority reads user, password, host and port, and what follows them.
func parseAuthority(s string, u URL) (URL, bool) {
	authority, rest := s, ""
	if end := strings.IndexAny(s, "/?#"); end >= 0 {
		authority, rest = s[:end], s[end:]
	}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		login := authority[:at]
		authority = authority[at+1:]
		u.User, u.Pass, u.HasPass = strings.Cut(login, ":")
		u.User, u.Pass, u.HasUser = component(u.User), component(u.Pass), true
	}
	host, ok := u.cutPort(authority)
	if !ok || host == "" {
		return URL{}, false
	}
	u.Host, u.HasHost = component(host), true
	if rest == "" {
		return u, true
	}
	return parsePath(rest, u)
}

// cutPort removes the port from the end of an authority and keeps it unless there is one already (not 0: "h:0" is read
// again).
func (u *URL) cutPort(authority string) (host string, ok bool) {
	if strings.HasPrefix(authority, "[") && strings.HasSuffix(authority, "]") {
		return authority, true
	}
	colon := strings.LastIndexByte(authority, ':')
	if colon < 0 {
		return authority, true
	}
	digits := authority[colon+1:]
	if u.Port != 0 || digits == "" {
		return authority[:colon], true
	}
	if len(digits) > 5 {
		return "", false
	}
	port, ok := leadingInt(digits)
	if !ok || port < 0 || port > 65535 {
		return "", false
	}
	u.Port, u.HasPort = port, true
	return authority[:colon], true
}

// leadingInt is C's strtol for up to five bytes: white space and a sign may come first, anything may follow.
func leadingInt(s string) (n int, ok bool) {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	start := i
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	end := skipDigits(s, i)
	n, err := strconv.Atoi(s[start:end])
	return n, err == nil
}

// parsePath reads path, query and fragment. An empty text has an empty path.
func parsePath(s string, u URL) (URL, bool) {
	path := s
	if path, u.Fragment, u.HasFragment = strings.Cut(path, "#"); u.HasFragment {
		u.Fragment = component(u.Fragment)
	}
	if path, u.Query, u.HasQuery = strings.Cut(path, "?"); u.HasQuery {
		u.Query = component(u.Query)
	}
	if path != "" || s == "" {
		u.Path, u.HasPath = component(path), true
	}
	return u, true
}

// component replaces control characters.
func component(s string) string {
	for i := 0; i < len(s); i++ {
		if !isControl(s[i]) {
			continue
		}
		b := []byte(s)
		for ; i < len(b); i++ {
			if isControl(b[i]) {
				b[i] = '_'
			}
		}
		return string(b)
	}
	return s
}

func isControl(b byte) bool { return b < 0x20 || b == 0x7f }
