package action

import "testing"

// TestCharsetsDecodeAsPHPDoes has characters on which browsers and PHP's mbstring differ.
func TestCharsetsDecodeAsPHPDoes(t *testing.T) {
	for _, tt := range []struct{ charset, text, want string }{
		{"iso-8859-2", "a\x96b", "a\u0096b"},
		{"iso-8859-15", "\x80\xa4", "\u0080€"},
		{"windows-1252", "\x81\x93", "\u0081“"},
		{"latin2", "\xb1", "ą"},
		{"greek", "\xe1", "α"},
		{"koi8-u", "\xae\xc1", "╝а"},
		{"euc-kr", "\xc7\xd1\xb1\xdb", "한글"},
		{"euc-kr", "\x8cc", "none"},
		{"euc-kr", "\xc7A", "none"},
		{"uhc", "\x8cc", "똠"},
		{"gb2312", "\xd6\xd0", "中"},
		{"gb2312", "\x81@", "none"},
		{"gb2312", "\xa1\xaa", "―"},
		{"gbk", "\x81@", "丂"},
		{"gb18030", "\x80", "none"},
		{"shift_jis", "\x81`\xb1", "〜ｱ"},
		{"shift-jis", "\x87@", "none"},
		{"cp932", "\x87@\x81`", "①～"},
		{"euc-jp", "\xa1\xc1\x8e\xb1", "〜ｱ"},
		{"euc-jp", "\xad\xa1", "none"},
		{"big5", "\xa4\xa4", "中"},
		{"big5", "\x87@", "none"},
		{"big5", "\xa1E", "•"},
		{"iso-8859-6", "\xa1", "none"},
		{"windows-1251", "\xcf\x98", "none"},
		{"iso-8859-1", "\x80", "\u0080"},
	} {
		got, ok := charsets[tt.charset].decode(tt.text)
		if !ok {
			got = "none"
		}
		if got != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.charset, tt.text, got, tt.want)
		}
	}
}
