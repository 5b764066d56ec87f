package bot

import (
	"io/fs"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/phpsource"
)

// listFile is the file of an installation that holds the list.
const listFile = "plugins/BotTracking/BotDetector.php"

// Load reads the list of the installation whose files are in dir. Where it has none that can be read, the built-in one
// serves; the error then says why, fs.ErrNotExist where the file is not there. chatbots tells which of the built-in
// lists (behaviour BotTypeChatbot).
func Load(dir fs.FS, chatbots bool) (*Detector, error) {
	file, err := phpsource.Read(dir, listFile)
	if err != nil {
		return builtIn(chatbots), err
	}
	words, err := file.Property("aiAssistantPatterns")
	if err != nil {
		return builtIn(chatbots), err
	}
	aliases, _ := file.Property("botNameAliases") // older versions have none
	d := &Detector{}
	for word, kind := range words.Array().All() {
		name := word
		if alias := aliases.Array().Value(word); alias.IsString() {
			name = alias.Str()
		}
		d.bots = append(d.bots, known{word, name, php.ToString(kind)})
	}
	return d, nil
}

// builtIn is the list of the newest version that is known, or that of Matomo 5.7.0.
func builtIn(chatbots bool) *Detector {
	if !chatbots {
		return listOf("ai_assistant", "ChatGPT-User", "MistralAI-User", "Gemini-Deep-Research", "Claude-User",
			"Perplexity-User",
			"Google-NotebookLM", "Devin")
	}
	d := listOf("ai_chatbot", "ChatGPT-User", "MistralAI-User", "Gemini-Deep-Research", "Claude-User", "Perplexity-User",
		"Google-GeminiNotebook", "Google-NotebookLM")
	d.bots[5].name = "Google-NotebookLM"
	return d
}

func listOf(kind string, words ...string) *Detector {
	d := &Detector{}
	for _, word := range words {
		d.bots = append(d.bots, known{word, word, kind})
	}
	return d
}
