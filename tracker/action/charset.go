package action

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// charset is a character set that PHP's mbstring knows.
type charset struct {
	encoding encoding.Encoding // nil for UTF-8 and ASCII
	ascii    bool
	controls bool             // 0x80–0x9f may be control characters; elsewhere they have no meaning
	single   *charmap.Charmap // one byte for each character; those of 0x80–0x9f without a meaning are control characters
	pairs    *pairs
	renamed  func(rune) rune // what PHP makes of some characters of the same place in the character set; nil: the same
}

// charsets maps the names that mbstring accepts, in lower case. It does not know windows-1250, windows-1253 and others
// that browsers do.
var charsets = func() map[string]charset {
	m := make(map[string]charset)
	add := func(c charset, names ...string) {
		for _, name := range names {
			m[name] = c
		}
	}
	iso := map[string]*charmap.Charmap{
		"1": charmap.ISO8859_1, "2": charmap.ISO8859_2, "3": charmap.ISO8859_3, "4": charmap.ISO8859_4,
		"5": charmap.ISO8859_5,
		"6": charmap.ISO8859_6, "7": charmap.ISO8859_7, "8": charmap.ISO8859_8, "9": charmap.ISO8859_9,
		"10": charmap.ISO8859_10,
		"13": charmap.ISO8859_13, "14": charmap.ISO8859_14, "15": charmap.ISO8859_15, "16": charmap.ISO8859_16,
	}
	for number, e := range iso {
		add(charset{single: e}, "iso-8859-"+number, "iso8859-"+number)
	}
	for name, number := range map[string]string{
		"latin1": "1", "latin2": "2", "latin3": "3", "latin4": "4", "latin5": "9", "latin6": "10", "latin8": "14",
		"cyrillic": "5", "arabic": "6", "greek": "7", "hebrew": "8",
	} {
		m[name] = m["iso-8859-"+number]
	}
	add(charset{encoding: charmap.Windows1251}, "windows-1251", "cp1251", "cp-1251")
	add(charset{single: charmap.Windows1252}, "windows-1252", "cp1252")
	add(charset{encoding: charmap.Windows1254}, "windows-1254", "cp1254", "cp-1254")
	add(charset{encoding: charmap.KOI8R}, "koi8-r", "koi8r")
	add(charset{encoding: charmap.KOI8U, renamed: renamedKOI8U}, "koi8-u", "koi8u")
	add(charset{encoding: charmap.CodePage866}, "cp866", "cp-866", "ibm866", "ibm-866")
	add(charset{encoding: charmap.CodePage850}, "cp850", "cp-850", "ibm850", "ibm-850")
	add(charset{encoding: japanese.ShiftJIS, pairs: pairsShiftJIS, renamed: php.JISX0208}, "sjis", "x-sjis", "shift_jis",
		"shift-jis")
	add(charset{encoding: japanese.ShiftJIS}, "sjis-win", "sjis-ms", "sjis-open", "cp932", "ms932", "windows-31j",
		"ms_kanji")
	add(charset{encoding: japanese.EUCJP, pairs: pairsEUCJP, renamed: php.JISX0208}, "euc-jp", "euc", "euc_jp", "eucjp",
		"x-euc-jp")
	add(charset{encoding: japanese.EUCJP}, "eucjp-win", "eucjp-ms", "eucjp-open")
	add(charset{encoding: japanese.ISO2022JP}, "iso-2022-jp", "jis")
	add(charset{encoding: simplifiedchinese.GBK}, "gbk", "cp936", "cp-936")
	add(charset{encoding: simplifiedchinese.GBK, pairs: pairsEUCCN, renamed: php.GB2312}, "gb2312", "euc-cn", "euc_cn",
		"euccn", "x-euc-cn", "cn-gb")
	add(charset{encoding: simplifiedchinese.GB18030, pairs: pairsGB18030}, "gb18030", "gb-18030", "gb-18030-2000")
	add(charset{encoding: simplifiedchinese.HZGB2312}, "hz", "hz-gb-2312")
	add(charset{encoding: traditionalchinese.Big5, pairs: pairsBig5, renamed: renamedBig5}, "big-5", "big5", "cn-big5",
		"big-five", "bigfive")
	add(charset{encoding: traditionalchinese.Big5}, "cp950")
	add(charset{encoding: korean.EUCKR, pairs: pairsEUCKR}, "euc-kr", "euc_kr", "euckr", "x-euc-kr")
	add(charset{encoding: korean.EUCKR}, "uhc", "cp949")
	add(charset{encoding: unicode.UTF16(unicode.BigEndian, unicode.UseBOM), controls: true}, "utf-16", "utf16")
	add(charset{encoding: unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), controls: true}, "utf-16be")
	add(charset{encoding: unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), controls: true}, "utf-16le")
	add(charset{}, "utf8")
	add(charset{ascii: true}, "ascii", "us-ascii", "us", "iso646-us", "iso_646.irv:1991", "ansi_x3.4-1968",
		"ansi_x3.4-1986", "iso-ir-6",
		"ibm367", "ibm-367", "cp367", "csascii")
	return m
}()

// decode converts text to UTF-8; ok is false when it is no text of the character set.
func (c charset) decode(text string) (utf8Text string, ok bool) {
	switch {
	case c.ascii:
		return text, isASCII(text)
	case c.single != nil:
		return decodeSingle(text, c.single)
	case c.encoding == nil:
		return text, utf8.ValidString(text)
	case c.pairs != nil && c.pairs.refuses(text):
		return "", false
	}
	decoded, err := c.encoding.NewDecoder().String(text)
	if err != nil {
		return "", false
	}
	for _, char := range decoded {
		if char == utf8.RuneError || !c.controls && 0x80 <= char && char <= 0x9f {
			return "", false
		}
	}
	if c.renamed != nil {
		decoded = strings.Map(c.renamed, decoded)
	}
	return decoded, true
}

func decodeSingle(text string, e *charmap.Charmap) (utf8Text string, ok bool) {
	b := make([]byte, 0, 2*len(text))
	for i := 0; i < len(text); i++ {
		char := e.DecodeByte(text[i])
		if char == utf8.RuneError {
			if text[i] >= 0xa0 {
				return "", false
			}
			char = rune(text[i])
		}
		b = utf8.AppendRune(b, char)
	}
	return string(b), true
}

// reencode converts url-encoded parameters from the character set of the page, the parameter cs, to UTF-8 (spec §6.4).
// Values that are no text of that character set stay, and so does everything when PHP does not know it, as with an
// empty cs.
func reencode(params *php.Array, cs string) *php.Array {
	c, ok := charsets[php.ToLower(cs)]
	if !ok {
		return params
	}
	converted := php.NewArray(params.Len())
	for name, value := range params.All() {
		switch {
		case value.IsArray():
			value = php.ArrayValue(reencode(value.Array(), cs))
		case value.IsString():
			if text, ok := c.decode(php.URLDecode(value.Str())); ok {
				value = php.String(php.URLEncode(text))
			}
		}
		converted.Set(name, value)
	}
	return converted
}
