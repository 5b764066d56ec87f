package device

import (
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/device/pattern"
)

// expand fills the groups of a match into a template as device-detector does: $1, $2 … one after the other, so that
// "$10" is the first group and a zero, and only up to one more than the groups that took part.
func expand(template string, groups pattern.Groups) string {
	if strings.IndexByte(template, '$') >= 0 {
		for i := range len(groups) + 1 {
			value := ""
			if i < len(groups) {
				value = groups[i]
			}
			template = strings.ReplaceAll(template, "$"+strconv.Itoa(i+1), value)
		}
	}
	return php.Trim(template)
}

// buildVersion fills in the groups and keeps major and minor number.
func buildVersion(template string, groups []string) string {
	version := strings.ReplaceAll(expand(template, groups), "_", ".")
	if first := strings.IndexByte(version, '.'); first >= 0 {
		if second := strings.IndexByte(version[first+1:], '.'); second >= 0 {
			version = version[:first+1+second]
		}
	}
	return strings.Trim(version, " .")
}

// buildModel fills in the groups; a model that is only "Build" is none.
func buildModel(template string, groups pattern.Groups) string {
	model := strings.ReplaceAll(expand(template, groups), "_", " ")
	model = cutTD(model)
	if model == "Build" || php.EmptyString(model) {
		return ""
	}
	return php.Trim(model)
}

// cutTD removes " TD" at the end, in any case, also before a final line feed.
func cutTD(model string) string {
	body, hasLine := strings.CutSuffix(model, "\n")
	n := len(body) - len(" TD")
	if n < 0 || !php.EqualFold(body[n:], " TD") {
		return model
	}
	if hasLine {
		return body[:n] + "\n"
	}
	return body[:n]
}

// replacement expands a template as PHP's preg_replace does when the pattern has no groups: $0 and \0 are the match,
// other numbers are empty, a backslash before "$" or another backslash takes its meaning away. Models such as "A$1"
// show it.
func replacement(template, match string) string {
	if !strings.ContainsAny(template, `$\`) {
		return template
	}
	var out []byte
	escaped := false
	for i := 0; i < len(template); {
		c := template[i]
		if escaped && (c == '$' || c == '\\') {
			out[len(out)-1] = c
			escaped = false
			i++
			continue
		}
		if number, length := reference(template[i:]); length > 0 {
			if number == 0 {
				out = append(out, match...)
			}
			i += length
			continue
		}
		out = append(out, c)
		escaped = c == '\\'
		i++
	}
	return string(out)
}

// reference reads $n, ${n} or \n with one or two digits at the front of s; length 0 means that there is none.
func reference(s string) (number, length int) {
	if s[0] != '$' && s[0] != '\\' {
		return 0, 0
	}
	i := 1
	braced := strings.HasPrefix(s, "${")
	if braced {
		i++
	}
	start := i
	for i < len(s) && i < start+2 && '0' <= s[i] && s[i] <= '9' {
		number = number*10 + int(s[i]-'0')
		i++
	}
	if i == start {
		return 0, 0
	}
	if braced {
		if i == len(s) || s[i] != '}' {
			return 0, 0
		}
		i++
	}
	return number, i
}
