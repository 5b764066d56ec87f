package request

import "testing"

func TestAIAgent(t *testing.T) {
	const agent = `"https://chatgpt.com"`
	headers := func(signature, agent, input string) option {
		return func(o *Origin, c *Context) {
			server("HTTP_SIGNATURE", signature)(o, c)
			server("HTTP_SIGNATURE_AGENT", agent)(o, c)
			server("HTTP_SIGNATURE_INPUT", input)(o, c)
		}
	}
	userAgent := func(ua string) option { return server("HTTP_USER_AGENT", ua) }
	for _, tt := range []struct {
		params string
		from   option
		want   string
	}{
		{`{}`, userAgent("Mozilla/5.0"), ""},
		// signed requests, by their headers
		{`{}`, headers("s", agent, "i"), "ChatGPT"},
		{`{}`, headers("0", agent, " "), "ChatGPT"},
		{`{}`, headers("", agent, "i"), ""},
		{`{}`, headers("s", agent, ""), ""},
		{`{}`, headers("s", "https://chatgpt.com", "i"), ""}, // without the quotes
		{`{}`, headers("s", ` "https://chatgpt.com"`, "i"), ""},
		{`{}`, headers("s", `"https://ChatGPT.com"`, "i"), ""},
		// by parameters, each before its header
		{`{"ai_s":"s","ai_sa":"\"https://chatgpt.com\"","ai_si":"i"}`, userAgent("x"), "ChatGPT"},
		{`{"ai_s":1,"ai_sa":"\"https://chatgpt.com\"","ai_si":1.5}`, userAgent("x"), "ChatGPT"},
		{`{"ai_sa":"\"https://chatgpt.com\""}`, headers("s", "", "i"), "ChatGPT"},
		{`{"ai_sa":"\"https://chat\u0000gpt.com\""}`, headers("s", "", "i"), "ChatGPT"},
		{`{"ai_sa":"&quot;https://chatgpt.com&quot;"}`, headers("s", agent, "i"), ""},
		{`{"ai_s":""}`, headers("s", agent, "i"), ""},
		{`{"ai_s":"\u0000"}`, headers("s", agent, "i"), ""},
		{`{"ai_s":null,"ai_sa":["x"],"ai_si":true}`, headers("s", agent, "i"), "ChatGPT"}, // no texts: the headers count
		// by the user agent
		{`{}`, userAgent("Mozilla/5.0 Chrome/133.0 Agent-NovaAct/0.9"), "NovaAct"},
		{`{}`, userAgent("Mozilla/5.0 agent-novaact/"), "NovaAct"},
		{`{}`, userAgent("Agent-NovaAct/0.9"), ""}, // no blank in front
		{`{}`, userAgent("x Agent-NovaAct"), ""},
		{`{"ua":"x Agent-NovaAct/1"}`, headers("s", agent, "i"), "ChatGPT"},
		{`{"ua":"x Agent-NovaAct/1"}`, userAgent("x"), "NovaAct"},
		{`{"ua":"x"}`, userAgent("x Agent-NovaAct/1"), ""},
	} {
		r := read(t, tt.params, tt.from)
		if got := r.AIAgent(); got != tt.want {
			t.Errorf("%s, %v: %q, want %q", tt.params, r.Env().Server, got, tt.want)
		}
	}
}
