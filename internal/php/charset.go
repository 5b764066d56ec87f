package php

// JISX0208 is what PHP, in mbstring and in iconv, makes of a character of JIS X 0208 that the encodings of the web, and
// so x/text, read as r.
func JISX0208(r rune) rune {
	switch r {
	case '～':
		return '〜'
	case '∥':
		return '‖'
	case '－':
		return '−'
	case '￠':
		return '¢'
	case '￡':
		return '£'
	case '￢':
		return '¬'
	default:
		return r
	}
}

// GB2312 is the same for GB 2312.
func GB2312(r rune) rune {
	switch r {
	case '·':
		return '・'
	case '—':
		return '―'
	default:
		return r
	}
}
