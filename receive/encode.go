package receive

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

// encode gives the element of a queue that holds the set: the text of queue.Encode, compressed faster.
func encode(set queue.RequestSet) ([]byte, error) {
	requests := php.NewArray(len(set.Requests))
	for _, params := range set.Requests {
		requests.Append(php.ArrayValue(params))
	}
	env := php.NewArray(2)
	env.Set("server", php.ArrayValue(set.Env.Server))
	env.Set("cookie", php.ArrayValue(set.Env.Cookie))
	token := php.Bool(false)
	if set.TokenAuth != "" || set.EmptyToken {
		token = php.String(set.TokenAuth)
	}
	state := php.NewArray(4)
	state.Set("requests", php.ArrayValue(requests))
	state.Set("env", php.ArrayValue(env))
	state.Set("tokenAuth", token)
	state.Set("time", php.Int(set.Time))
	text, err := php.EncodeJSON(php.ArrayValue(state))
	if err != nil {
		return nil, err
	}
	return deflate(text), nil
}
