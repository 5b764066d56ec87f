package device

import (
	"crypto/md5"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Hints are the client hints of a request (spec §10.1). A nil *Hints means that there are none.
type Hints struct {
	model, platform, platformVersion, fullVersion, app string

	mobile      bool
	brands      []brandHint
	formFactors []string // in lower case
	digest      string   // of brands, platform, platformVersion and model, as far as Matomo's cache key tells hints apart
	ignored     string   // architecture and bitness: they change no column, but have to be text
}

type brandHint struct {
	name    string
	integer bool // the name is an integer to PHP, which device-detector refuses when it gets there
	version php.Value
}

// HintsError says that a client hint has a type for which Matomo refuses the request (spec §10.1). Releases of
// device-detector from 6.5.1 on ignore most of such hints.
type HintsError struct {
	Hint string // name as sent
}

func (e *HintsError) Error() string { return "client hint " + e.Hint + ": wrong type" }

// HintsFromParam reads the decoded and sanitized uadata parameter. Anything but a filled list gives nil. The error is a
// *HintsError.
//
// Whether the headers count instead is decided before: they do when uadata is absent or empty, not when it cannot be
// decoded.
func (d *Detector) HintsFromParam(v php.Value) (*Hints, error) {
	if v.Array().Len() == 0 {
		return nil, nil
	}
	return d.newHints(v.Array())
}

// HintsFromServer reads the client hint headers among env.server (spec §0.4). Their values are HTML-escaped first, so
// "Windows" with its quotes arrives as &quot;Windows&quot; and is no known platform; only the model has an effect. The
// error is a *HintsError.
func (d *Detector) HintsFromServer(server *php.Array) (*Hints, error) {
	headers := HintHeaders(server)
	if headers == nil {
		return nil, nil
	}
	return d.newHints(php.SanitizeValue(php.ArrayValue(headers)).Array())
}

// HintHeaders are the client hint headers among env.server, in the order of their names and as they came; nil when
// there are none.
func HintHeaders(server *php.Array) *php.Array {
	var keys []string
	for key := range server.All() {
		if isHintHeader(key) {
			keys = append(keys, key)
		}
	}
	if keys == nil {
		return nil
	}
	slices.Sort(keys)
	headers := php.NewArray(len(keys))
	for _, key := range keys {
		headers.Set(key, server.Value(key))
	}
	return headers
}

// isHintHeader knows the misspelt X_HTTP_REQUESTED_WITH: it is no hint that device-detector understands, but it makes
// for another cache key.
func isHintHeader(key string) bool {
	const prefix = "HTTP_SEC_CH_UA"
	return len(key) >= len(prefix) && php.EqualFold(key[:len(prefix)], prefix) ||
		php.EqualFold(key, "X_HTTP_REQUESTED_WITH")
}

func (d *Detector) newHints(values *php.Array) (*Hints, error) {
	h := &Hints{}
	var list *php.Array
	for name, value := range values.All() {
		if !d.facts.emptyHintsCount && php.Empty(value) || !d.facts.taggedHintsCount && hasTags(value.Str()) {
			continue
		}
		var err error
		if list, err = h.read(d.facts, name, value, list); err != nil && d.facts.wrongTypesRefused {
			return nil, err
		}
	}
	h.brands = brandList(list)
	h.digest = h.makeDigest()
	return h, nil
}

// hasTags reports whether strip_tags would change s: it takes any "<" that no white space follows for a tag, and
// removes NUL.
func hasTags(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == 0 || s[i] == '<' && (i+1 == len(s) || strings.IndexByte(" \t\n\v\f\r", s[i+1]) < 0) {
			return true
		}
	}
	return false
}

// read takes one hint. list is the list of brands so far; it returns the list that counts from now on, also with an
// error.
func (h *Hints) read(f *facts, name string, value php.Value, list *php.Array) (*php.Array, error) {
	key := strings.ReplaceAll(php.ToLower(name), "_", "-")
	switch short := strings.TrimPrefix(key, "http-"); short {
	case "x-requested-with":
		if !value.IsString() {
			return list, &HintsError{name}
		}
		if !php.EqualFold(value.Str(), "xmlhttprequest") {
			h.app = value.Str()
		}
		return list, nil
	case "sec-ch-ua", "sec-ch-ua-full-version-list":
		if short == "sec-ch-ua" && list.Len() > 0 {
			return list, nil
		}
		if !value.IsString() {
			return list, &HintsError{name}
		}
		if found := parseBrands(value.Str()); found.Len() > 0 {
			list = found
		}
		return list, nil
	}
	switch key {
	case "brands", "fullversionlist":
		if value.IsArray() && (key == "fullversionlist" || list.Len() == 0) {
			list = value.Array()
		}
	case "http-sec-ch-ua-mobile", "sec-ch-ua-mobile", "mobile":
		h.mobile = value.Bool() || value.Str() == "1" || value.Str() == "?1"
	case "formfactors", "http-sec-ch-ua-form-factors", "sec-ch-ua-form-factors":
		if f.formFactors && !h.readFormFactors(value, f.wrongTypesRefused) {
			return list, &HintsError{name}
		}
	default:
		field := h.field(key)
		if field == nil {
			break
		}
		if !value.IsString() {
			return list, &HintsError{name}
		}
		*field = strings.Trim(value.Str(), `"`)
	}
	return list, nil
}

// field is where a hint that is plain text goes, nil for an unknown hint.
func (h *Hints) field(key string) *string {
	switch key {
	case "http-sec-ch-ua-arch", "sec-ch-ua-arch", "arch", "architecture",
		"http-sec-ch-ua-bitness", "sec-ch-ua-bitness", "bitness":
		return &h.ignored
	case "http-sec-ch-ua-model", "sec-ch-ua-model", "model":
		return &h.model
	case "http-sec-ch-ua-full-version", "sec-ch-ua-full-version", "uafullversion":
		return &h.fullVersion
	case "http-sec-ch-ua-platform", "sec-ch-ua-platform", "platform":
		return &h.platform
	case "http-sec-ch-ua-platform-version", "sec-ch-ua-platform-version", "platformversion":
		return &h.platformVersion
	}
	return nil
}

// quotedWord is a form factor in the form of a header.
var quotedWord = regexp.MustCompile(`"([a-z]+)"`)

// readFormFactors takes a list of texts, or the words in quotes of a header. It returns false for a wrong type.
// Releases that refuse wrong types take other scalars in the list for text.
func (h *Hints) readFormFactors(value php.Value, scalars bool) bool {
	var found []string
	switch value.Kind() {
	case php.KindString:
		for _, match := range quotedWord.FindAllStringSubmatch(php.ToLower(value.Str()), -1) {
			found = append(found, match[1])
		}
		if found == nil {
			return true
		}
	case php.KindArray:
		for _, v := range value.Array().All() {
			if v.IsArray() || !v.IsString() && !scalars {
				return false
			}
			found = append(found, php.ToLower(php.ToString(v)))
		}
	default:
		return false
	}
	h.formFactors = found
	return true
}

// parseBrands reads the header form "brand";v="version", "brand";v="version" up to the first thing that does not fit.
func parseBrands(s string) *php.Array {
	list := &php.Array{}
	for {
		brand, rest, ok := cutQuoted(s)
		if !ok {
			return list
		}
		if rest, ok = strings.CutPrefix(rest, ";"); !ok {
			return list
		}
		rest = strings.TrimPrefix(rest, " ")
		if rest, ok = strings.CutPrefix(rest, "v="); !ok {
			return list
		}
		version, rest, ok := cutQuoted(rest)
		if !ok {
			return list
		}
		item := php.NewArray(2)
		item.Set("brand", php.String(brand))
		item.Set("version", php.String(version))
		list.Append(php.ArrayValue(item))
		s = strings.TrimPrefix(rest, ", ")
	}
}

// cutQuoted takes a quoted, non-empty text off the front of s.
func cutQuoted(s string) (text, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, `"`); !ok {
		return "", "", false
	}
	text, rest, ok = strings.Cut(s, `"`)
	return text, rest, ok && text != ""
}

// brandList pairs the brands with the versions. A list in which one has more entries than the other counts as empty; a
// brand that is there twice stands at its first place with its last version.
func brandList(list *php.Array) []brandHint {
	var names, versions []php.Value
	for _, item := range list.All() {
		if name, ok := item.Array().Get("brand"); ok {
			names = append(names, name)
		}
		if version, ok := item.Array().Get("version"); ok {
			versions = append(versions, version)
		}
	}
	if len(names) != len(versions) {
		return nil
	}
	var brands []brandHint
	for i, name := range names {
		b := brandHint{name: php.ToString(name), version: versions[i]}
		b.integer = isInteger(b.name)
		at := slices.IndexFunc(brands, func(known brandHint) bool { return known.name == b.name })
		if at < 0 {
			brands = append(brands, b)
		} else {
			brands[at].version = b.version
		}
	}
	return brands
}

// isInteger reports whether PHP turns s into an integer when it is the key of an array.
func isInteger(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == s
}

// makeDigest tells hints apart as Matomo's cache key does: the order of the brands does not count, and the last three
// parts run together.
func (h *Hints) makeDigest() string {
	sorted := slices.Clone(h.brands)
	slices.SortFunc(sorted, func(a, b brandHint) int { return strings.Compare(a.name, b.name) })
	var b []byte
	for _, brand := range sorted {
		b = strconv.AppendQuote(b, brand.name)
		b = append(b, byte(brand.version.Kind()))
		b = strconv.AppendQuote(b, php.ToString(brand.version))
	}
	b = append(b, h.platform...)
	b = append(b, h.platformVersion...)
	b = append(b, h.model...)
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}
