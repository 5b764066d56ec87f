package receive

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

// localPeer stands for the address of a client on a unix socket, which has none.
const localPeer = "127.0.0.1"

// environment is $_SERVER and $_COOKIE of the request as a web server's FastCGI interface makes them (specification §0.4), without what
// only that server knows (its user, the files of Matomo).
func environment(r *http.Request, now time.Time, bodyLength int64) queue.Env {
	server := php.NewArray(len(r.Header) + 24)
	set := func(name, value string) { server.Set(name, php.String(value)) }
	addHeaders(set, r)
	host, port := hostAndPort(r)
	set("REDIRECT_STATUS", "200")
	set("SERVER_NAME", host)
	set("SERVER_PORT", port)
	if address, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if ip, _, err := net.SplitHostPort(address.String()); err == nil {
			set("SERVER_ADDR", ip)
		}
	}
	peer, peerPort := peerOf(r)
	set("REMOTE_PORT", peerPort)
	set("REMOTE_ADDR", peer)
	set("SERVER_SOFTWARE", "queuedtracking")
	set("GATEWAY_INTERFACE", "CGI/1.1")
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
		set("HTTPS", "on")
	}
	set("REQUEST_SCHEME", scheme)
	set("SERVER_PROTOCOL", r.Proto)
	set("DOCUMENT_URI", r.URL.Path)
	set("REQUEST_URI", r.RequestURI)
	set("SCRIPT_NAME", r.URL.Path)
	length := ""
	if bodyLength > 0 || r.Header.Get("Content-Length") != "" {
		length = strconv.FormatInt(bodyLength, 10)
	}
	set("CONTENT_LENGTH", length)
	set("CONTENT_TYPE", r.Header.Get("Content-Type"))
	set("REQUEST_METHOD", r.Method)
	set("QUERY_STRING", r.URL.RawQuery)
	set("PHP_SELF", r.URL.Path)
	server.Set("REQUEST_TIME_FLOAT", php.Float(float64(now.UnixMicro())/1e6))
	server.Set("REQUEST_TIME", php.Int(now.Unix()))
	return queue.Env{Server: server, Cookie: parseCookies(joined(r.Header["Cookie"], "; "))}
}

// addHeaders sets HTTP_… for each header, in the order of their names. Headers with underscores are left out, as web servers do: they
// could pass for others (X_Forwarded_For for X-Forwarded-For).
func addHeaders(set func(name, value string), r *http.Request) {
	var room [32]string
	names := room[:0]
	for name := range r.Header {
		if strings.IndexByte(name, '_') < 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		separator := ", "
		if name == "Cookie" {
			separator = "; "
		}
		set(variableName(name), joined(r.Header[name], separator))
	}
	set("HTTP_HOST", r.Host)
}

func joined(values []string, separator string) string {
	if len(values) == 1 {
		return values[0]
	}
	return strings.Join(values, separator)
}

// commonNames saves the most frequent headers the making of a name.
var commonNames = map[string]string{
	"Accept": "HTTP_ACCEPT", "Accept-Encoding": "HTTP_ACCEPT_ENCODING", "Accept-Language": "HTTP_ACCEPT_LANGUAGE",
	"Content-Length": "HTTP_CONTENT_LENGTH", "Content-Type": "HTTP_CONTENT_TYPE", "Cookie": "HTTP_COOKIE", "Dnt": "HTTP_DNT",
	"Origin": "HTTP_ORIGIN", "Referer": "HTTP_REFERER", "User-Agent": "HTTP_USER_AGENT", "X-Forwarded-For": "HTTP_X_FORWARDED_FOR",
	"X-Forwarded-Proto": "HTTP_X_FORWARDED_PROTO", "X-Real-Ip": "HTTP_X_REAL_IP", "Sec-Ch-Ua": "HTTP_SEC_CH_UA",
	"Sec-Ch-Ua-Mobile": "HTTP_SEC_CH_UA_MOBILE", "Sec-Ch-Ua-Platform": "HTTP_SEC_CH_UA_PLATFORM",
	"Sec-Fetch-Dest": "HTTP_SEC_FETCH_DEST", "Sec-Fetch-Mode": "HTTP_SEC_FETCH_MODE", "Sec-Fetch-Site": "HTTP_SEC_FETCH_SITE",
}

func variableName(header string) string {
	if name, ok := commonNames[header]; ok {
		return name
	}
	return "HTTP_" + strings.ToUpper(strings.ReplaceAll(header, "-", "_"))
}

// hostAndPort are the name and the port under which the client asked.
func hostAndPort(r *http.Request) (host, port string) {
	host, port, err := net.SplitHostPort(r.Host)
	if err == nil {
		return host, port
	}
	port = "80"
	if r.TLS != nil {
		port = "443"
	}
	return strings.Trim(r.Host, "[]"), port
}

func peerOf(r *http.Request) (ip, port string) {
	ip, port, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return localPeer, ""
	}
	ip, _, _ = strings.Cut(ip, "%")
	return ip, port
}
