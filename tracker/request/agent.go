package request

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// The AI agents that Matomo knows.
const (
	agentChatGPT = "ChatGPT"
	agentNovaAct = "NovaAct"
)

// AIAgent is the AI agent that the request comes from, "" for none (spec §V1.13). ChatGPT's signs its
// requests; NovaAct's names itself in the user agent.
func (r *Request) AIAgent() string {
	switch {
	case r.signed("ai_sa", "HTTP_SIGNATURE_AGENT") == `"https://chatgpt.com"` && // with the quotes
		r.signed("ai_s", "HTTP_SIGNATURE") != "" && r.signed("ai_si", "HTTP_SIGNATURE_INPUT") != "":
		return agentChatGPT
	case php.ContainsFold(r.UserAgent(), " Agent-NovaAct/"):
		return agentNovaAct
	}
	return ""
}

// signed is a part of a signature: the parameter, as it came but for NUL bytes, or the header where there is no text
// or number by this name. An empty parameter counts.
func (r *Request) signed(param, header string) string {
	v := r.params.Value(param)
	switch v.Kind() {
	case php.KindString, php.KindInt, php.KindFloat:
		return strings.ReplaceAll(php.ToString(v), "\x00", "")
	}
	return r.Server(header)
}
