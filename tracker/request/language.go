package request

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// languageCodes are the two-letter codes that Matomo knows as languages.
const languageCodes = `
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi
fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw
ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro
ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi
yo za zh zu`

const unknownLanguage = "xx"

// languages is indexed by the two letters of a code.
var languages = func() (known [26][26]bool) {
	for _, code := range strings.Fields(languageCodes) {
		known[code[0]-'a'][code[1]-'a'] = true
	}
	return known
}()

// isLanguage expects lower-case letters.
func isLanguage(code string) bool { return len(code) == 2 && languages[code[0]-'a'][code[1]-'a'] }

// Language is the list of languages that the browser accepts (spec §1.9), from the parameter lang, else the header,
// else what stands for the worker's environment variable LANG: lower case, without qualities and comments, as in
// "de-at,de,en". It is part of config_id. Matomo 5.0 takes the parameter as it comes.
func (r *Request) Language() string {
	list, _ := r.language.get(r, (*Request).findLanguage)
	return list
}

func (r *Request) findLanguage() (string, error) {
	list := r.PlainText("lang")
	if list != "" && !r.ctx.Behaviours.CleanLanguageParameter {
		return list, nil
	}
	if php.EmptyString(list) {
		list = php.Sanitize(r.Server("HTTP_ACCEPT_LANGUAGE"))
	}
	if php.EmptyString(list) {
		list = r.ctx.Settings.EmulatedLang
	}
	if php.EmptyString(list) {
		return "", nil
	}
	return cleanLanguages(list), nil
}

// cleanLanguages applies Matomo's filters in its order.
func cleanLanguages(list string) string {
	list = php.ToLower(strings.ReplaceAll(list, "_", "-"))
	if strings.IndexByte(list, '\\') >= 0 {
		list = removeAll(list, quotedPair)
	}
	list = removeAll(list, whiteSpace)
	if last := strings.LastIndexByte(list, ')'); last >= 0 {
		list = removeAll(list[:last+1], comment) + list[last+1:]
	}
	list = removeAll(list, quality)
	list, _, _ = strings.Cut(list, ".") // the charset of LANG
	list = cutChrome(list)
	list = cutSecurID(list)
	return strings.ReplaceAll(list, "sr-sp", "sr-rs")
}

// removeAll removes what match finds at the start of the rest of s, where match returns the length found, 0 for
// nothing.
func removeAll(s string, match func(string) int) string {
	var kept []byte
	done := 0
	for i := 0; i < len(s); {
		n := match(s[i:])
		if n == 0 {
			i++
			continue
		}
		if kept == nil {
			kept = make([]byte, 0, len(s))
		}
		kept = append(kept, s[done:i]...)
		i += n
		done = i
	}
	if kept == nil {
		return s
	}
	return string(append(kept, s[done:]...))
}

func quotedPair(s string) int {
	if s[0] == '\\' && len(s) > 1 && s[1] != '\n' {
		return 2
	}
	return 0
}

func whiteSpace(s string) int {
	if s[0] == ' ' || '\t' <= s[0] && s[0] <= '\r' {
		return 1
	}
	return 0
}

func comment(s string) int {
	if s[0] != '(' {
		return 0
	}
	return strings.IndexByte(s, ')') + 1
}

func quality(s string) int {
	const prefix = ";q="
	if s[0] != ';' || !strings.HasPrefix(s, prefix) {
		return 0
	}
	n := len(prefix)
	for n < len(s) && (s[n] == '.' || '0' <= s[n] && s[n] <= '9') {
		n++
	}
	if n == len(prefix) {
		return 0
	}
	return n
}

// cutChrome ends the list at the first entry that begins with "chrome:", a bug of old Firefoxes.
func cutChrome(list string) string {
	const entry = "chrome:"
	if strings.HasPrefix(list, entry) {
		return ""
	}
	list, _, _ = strings.Cut(list, ","+entry)
	return list
}

// cutSecurID removes the first entry "en-securid". Between two entries one comma stays; at an end of the list its
// comma goes with it.
func cutSecurID(list string) string {
	const entry = "en-securid"
	for from := 0; ; {
		i := strings.Index(list[from:], entry)
		if i < 0 {
			return list
		}
		start, end := from+i, from+i+len(entry)
		first, last := start == 0, end == len(list)
		switch {
		case !first && list[start-1] != ',', !last && list[end] != ',':
			from = start + 1
		case first && last:
			return ""
		case first:
			return list[end+1:]
		case last:
			return list[:start-1]
		default:
			return list[:start] + list[end+1:]
		}
	}
}

// BrowserLanguage is the column location_browser_lang for a list as Language gives it (spec §5.5): the first language
// that Matomo knows, with the region next to it ("de-at"); "xx" when there is none, "" without a list.
func (r *Request) BrowserLanguage(list string) string {
	if php.EmptyString(list) {
		return ""
	}
	for entry := range strings.SplitSeq(list, ",") {
		language, region := splitLanguage(entry)
		if isLanguage(language) {
			return language + region
		}
	}
	return unknownLanguage
}

// splitLanguage reads language, an optional script and an optional region ("-at"), which are the start of an entry;
// what follows is ignored.
func splitLanguage(entry string) (language, region string) {
	n := letters(entry, 3)
	if n < 2 {
		return "", ""
	}
	language, rest := entry[:n], entry[n:]
	if subtag(rest, 4) {
		rest = rest[5:]
	}
	if subtag(rest, 2) {
		region = rest[:3]
	}
	return language, region
}

// subtag reports whether s begins with a hyphen and at least n letters.
func subtag(s string, n int) bool { return len(s) > n && s[0] == '-' && letters(s[1:], n) == n }

// letters counts the lower-case letters at the start of s, up to limit.
func letters(s string, limit int) int {
	n := 0
	for n < len(s) && n < limit && 'a' <= s[n] && s[n] <= 'z' {
		n++
	}
	return n
}
