package queue

import (
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

func TestEncodeWritesPHPsJSON(t *testing.T) {
	server := array(t, `{"HTTP_REFERER":"http://a/ä"}`)
	tests := []struct {
		name string
		set  RequestSet
		want string
	}{
		{
			"page view",
			RequestSet{Requests: []*php.Array{array(t, `{"idsite":"1","u":"a/b"}`)}, Env: Env{Server: server}, Time: 7},
			`{"requests":[{"idsite":"1","u":"a\/b"}],"env":{"server":{"HTTP_REFERER":"http:\/\/a\/\u00e4"},"cookie":[]},"tokenAuth":false,"time":7}`,
		},
		{
			"bulk without token",
			RequestSet{Requests: []*php.Array{nil}, EmptyToken: true},
			`{"requests":[[]],"env":{"server":[],"cookie":[]},"tokenAuth":"","time":0}`,
		},
		{
			"bulk with token",
			RequestSet{TokenAuth: "t", EmptyToken: true, Env: Env{Cookie: array(t, `{"c":"1"}`)}},
			`{"requests":[],"env":{"server":[],"cookie":{"c":"1"}},"tokenAuth":"t","time":0}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			element := mustEncode(t, tt.set)
			if got := inflated(t, element); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if element[0] != 0x78 || element[1] != 0x9c {
				t.Errorf("zlib header %x, PHP writes 789c", element[:2])
			}
		})
	}
}

// notUTF8 are parameters that PHP cannot write as JSON.
func notUTF8() *php.Array {
	params := php.NewArray(1)
	params.Set("action_name", php.String("\xff"))
	return params
}

func TestEncodeRefusesTextThatIsNotUTF8(t *testing.T) {
	_, err := Encode(RequestSet{Requests: []*php.Array{notUTF8()}})
	if err == nil || !strings.HasPrefix(err.Error(), "encode request set: ") {
		t.Errorf("error %v", err)
	}
}
