package receive

import (
	"bytes"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

// localPeer stands for the address of a client on a unix socket, which has none.
const localPeer = "127.0.0.1"

// environment is $_SERVER and $_COOKIE of the request as a web server's FastCGI interface makes them (spec §0.4),
// without what only that server knows (its user, the files of Matomo).
func (m *message) environment(now time.Time, bodyLength int64) queue.Env {
	server := php.NewArray(40)
	m.addHeaders(server)
	host, port := nameAndPort(server.Value("HTTP_HOST").Str())
	length := ""
	if _, told := server.Get("HTTP_CONTENT_LENGTH"); told || bodyLength > 0 {
		length = strconv.FormatInt(bodyLength, 10)
	}
	contentType, cookies := server.Value("HTTP_CONTENT_TYPE").Str(), server.Value("HTTP_COOKIE").Str()
	set := func(name, value string) { server.SetNew(name, php.String(value)) } // names of headers begin with HTTP_
	set("REDIRECT_STATUS", "200")
	set("SERVER_NAME", host)
	set("SERVER_PORT", port)
	if address, ok := m.LocalAddr().(*net.TCPAddr); ok {
		ip, _ := hostAndPort(address)
		set("SERVER_ADDR", ip)
	}
	peer, peerPort := hostAndPort(m.RemoteAddr())
	set("REMOTE_PORT", peerPort)
	set("REMOTE_ADDR", peer)
	set("SERVER_SOFTWARE", "queuedtracking")
	set("GATEWAY_INTERFACE", "CGI/1.1")
	set("REQUEST_SCHEME", "http")
	set("SERVER_PROTOCOL", string(m.Request.Header.Protocol()))
	set("DOCUMENT_URI", m.path)
	set("REQUEST_URI", m.uri)
	set("SCRIPT_NAME", m.path)
	set("CONTENT_LENGTH", length)
	set("CONTENT_TYPE", contentType)
	set("REQUEST_METHOD", m.method)
	set("QUERY_STRING", m.query)
	set("PHP_SELF", m.path)
	server.SetNew("REQUEST_TIME_FLOAT", php.Float(float64(now.UnixMicro())/1e6))
	server.SetNew("REQUEST_TIME", php.Int(now.Unix()))
	return queue.Env{Server: server, Cookie: parseCookies(cookies)}
}

// addHeaders sets HTTP_… for each header, in the order in which they came; those of the same name are joined. Headers
// with underscores are left out, as web servers do: they could pass for others (X_Forwarded_For for X-Forwarded-For).
func (m *message) addHeaders(server *php.Array) {
	for header, value := range m.Request.Header.AllInOrder() {
		if bytes.IndexByte(header, '_') >= 0 {
			continue
		}
		name, text := variableName(header), m.text(value)
		if first, twice := server.Get(name); twice {
			separator := ", "
			if name == "HTTP_COOKIE" {
				separator = "; "
			}
			text = first.Str() + separator + text
		}
		server.Set(name, php.String(text))
	}
}

// commonNames saves the most frequent headers the making of a name.
var commonNames = map[string]string{
	"Accept": "HTTP_ACCEPT", "Accept-Encoding": "HTTP_ACCEPT_ENCODING", "Accept-Language": "HTTP_ACCEPT_LANGUAGE",
	"Content-Length": "HTTP_CONTENT_LENGTH", "Content-Type": "HTTP_CONTENT_TYPE", "Cookie": "HTTP_COOKIE",
	"Dnt": "HTTP_DNT", "Host": "HTTP_HOST",
	"Origin": "HTTP_ORIGIN", "Referer": "HTTP_REFERER", "User-Agent": "HTTP_USER_AGENT",
	"X-Forwarded-For":   "HTTP_X_FORWARDED_FOR",
	"X-Forwarded-Proto": "HTTP_X_FORWARDED_PROTO", "X-Real-Ip": "HTTP_X_REAL_IP", "Sec-Ch-Ua": "HTTP_SEC_CH_UA",
	"Sec-Ch-Ua-Mobile": "HTTP_SEC_CH_UA_MOBILE", "Sec-Ch-Ua-Platform": "HTTP_SEC_CH_UA_PLATFORM",
	"Sec-Fetch-Dest": "HTTP_SEC_FETCH_DEST", "Sec-Fetch-Mode": "HTTP_SEC_FETCH_MODE",
	"Sec-Fetch-Site": "HTTP_SEC_FETCH_SITE",
}

func variableName(header []byte) string {
	if name, ok := commonNames[string(header)]; ok {
		return name
	}
	return "HTTP_" + strings.ToUpper(strings.ReplaceAll(string(header), "-", "_"))
}

// nameAndPort are those under which the client asked.
func nameAndPort(host string) (name, port string) {
	if strings.IndexByte(host, ':') >= 0 {
		if name, port, err := net.SplitHostPort(host); err == nil {
			return name, port
		}
	}
	return strings.Trim(host, "[]"), "80"
}

// hostAndPort are those of an end of the connection.
func hostAndPort(address net.Addr) (ip, port string) {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return localPeer, ""
	}
	at := tcp.AddrPort()
	return at.Addr().Unmap().WithZone("").String(), strconv.Itoa(int(at.Port()))
}
