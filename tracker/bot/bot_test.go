package bot

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestBotsAreFoundByTheFirstWordOfTheList(t *testing.T) {
	tests := []struct {
		in   string
		want Bot // of the built-in list
	}{
		{
			"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0",
			Bot{"ChatGPT-User", "ai_chatbot"},
		},
		{"chatgpt-USER", Bot{"ChatGPT-User", "ai_chatbot"}},
		{"xClaude-Userx", Bot{"Claude-User", "ai_chatbot"}},
		{"Perplexity-User, Claude-User, MistralAI-User", Bot{"MistralAI-User", "ai_chatbot"}},
		{"Google-GeminiNotebook", Bot{"Google-NotebookLM", "ai_chatbot"}},
		{"Google-NotebookLM", Bot{"Google-NotebookLM", "ai_chatbot"}},

		{"", Bot{}},
		{"0", Bot{}},
		{"Devin", Bot{}},
		{"ChatGPT User", Bot{}},
		{"Mozilla/5.0 (compatible; GPTBot/1.2)", Bot{}},
	}
	d := builtIn(true)
	for _, tt := range tests {
		got, ok := d.Find(tt.in)
		if got != tt.want || ok != (tt.want != Bot{}) {
			t.Errorf("%q: %v %v, want %v", tt.in, got, ok, tt.want)
		}
	}
}

// Matomo takes user agent "0" for none.
func TestEmptyUserAgentIsNoBots(t *testing.T) {
	d := &Detector{bots: []known{{word: "0", name: "Zero"}}}
	for ua, want := range map[string]bool{"0": false, "": false, "00": true} {
		if b, got := d.Find(ua); got != want {
			t.Errorf("%q: %+v, %v, want %v", ua, b, got, want)
		}
	}
}

// TestTypesOfBots shows both sides of behaviour BotTypeChatbot.
func TestTypesOfBots(t *testing.T) {
	tests := []struct {
		ua       string
		chatbots bool
		want     Bot
	}{
		{"Claude-User", true, Bot{"Claude-User", "ai_chatbot"}},
		{"Claude-User", false, Bot{"Claude-User", "ai_assistant"}},
		{"Devin", true, Bot{}},
		{"Devin", false, Bot{"Devin", "ai_assistant"}},
		{"Google-GeminiNotebook", false, Bot{}},
	}
	for _, tt := range tests {
		d, err := Load(fstest.MapFS{}, tt.chatbots)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v, want %v", err, fs.ErrNotExist)
		}
		if got, _ := d.Find(tt.ua); got != tt.want {
			t.Errorf("%s, chatbots %v: %v, want %v", tt.ua, tt.chatbots, got, tt.want)
		}
	}
}

func TestListOfTheInstallationWins(t *testing.T) {
	const (
		older = `<?php namespace Piwik\Plugins\BotTracking; class BotDetector { public const KIND = 'ai_older';
			private $aiAssistantPatterns = ['New-User' => self::KIND, 'Other-User' => 'plain']; }`
		newer = `<?php declare(strict_types=1); namespace Matomo\Plugins\BotTracking; class BotDetector {
			public const KIND = 'ai_newer';
			private $aiAssistantPatterns = [
				'Renamed-User' => self::KIND,
				'New-User'     => self::KIND,
			];
			private $botNameAliases = ['Renamed-User' => 'New-User']; }`
		computed = `<?php class BotDetector { private $aiAssistantPatterns = OTHER + ['New-User' => 'x']; }`
	)
	tests := []struct {
		name, file, ua string
		want           Bot
		fails          bool
	}{
		{"constant", older, "a new-user b", Bot{"New-User", "ai_older"}, false},
		{"text", older, "Other-User", Bot{"Other-User", "plain"}, false},
		{"not in the list", older, "ChatGPT-User", Bot{}, false},
		{"other name", newer, "Renamed-User/2", Bot{"New-User", "ai_newer"}, false},
		{"same name", newer, "New-User", Bot{"New-User", "ai_newer"}, false},
		{"no plain list: the built-in one", computed, "ChatGPT-User", Bot{"ChatGPT-User", "ai_chatbot"}, true},
		{"no list: the built-in one", "<?php class BotDetector {}", "ChatGPT-User", Bot{"ChatGPT-User", "ai_chatbot"}, true},
	}
	for _, tt := range tests {
		d, err := Load(fstest.MapFS{listFile: {Data: []byte(tt.file)}}, true)
		if (err != nil) != tt.fails {
			t.Errorf("%s: error %v", tt.name, err)
		}
		if got, _ := d.Find(tt.ua); got != tt.want {
			t.Errorf("%s: %s is %v, want %v", tt.name, tt.ua, got, tt.want)
		}
	}
}
