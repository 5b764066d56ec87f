package php

// URLDecode is urldecode (spec §A.7): "+" is a blank, %HH a byte; a "%" without two hexadecimal digits stays.
func URLDecode(s string) string {
	first := 0
	for first < len(s) && s[first] != '%' && s[first] != '+' {
		first++
	}
	if first == len(s) {
		return s
	}
	var short [256]byte
	b := append(short[:0], s[:first]...)
	for i := first; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b = append(b, ' ')
		case s[i] == '%' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0:
			b = append(b, byte(hexDigit(s[i+1])<<4|hexDigit(s[i+2])))
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	return string(b)
}

func isUnreserved(b byte) bool { return isAlphaNumeric(b) || b == '-' || b == '_' || b == '.' }

// URLEncode is urlencode (spec §A.7): letters, digits, "-", "_" and "." stay, a blank is "+", all else %HH in upper
// case.
func URLEncode(s string) string {
	for i := 0; i < len(s); i++ {
		if !isUnreserved(s[i]) {
			return string(appendURLEncoded(make([]byte, 0, len(s)+16), s))
		}
	}
	return s
}

func appendURLEncoded(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isUnreserved(c):
			b = append(b, c)
		case c == ' ':
			b = append(b, '+')
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

// HTTPBuildQuery is http_build_query: nested arrays become "a[0]=…" with encoded brackets, nulls and empty arrays are
// left out, booleans are 1 and 0.
func HTTPBuildQuery(a *Array) string { return string(appendQuery(nil, "", a)) }

func appendQuery(b []byte, prefix string, a *Array) []byte {
	for key, v := range a.All() {
		name := URLEncode(key)
		if prefix != "" {
			name = prefix + "%5B" + name + "%5D"
		}
		switch v.kind {
		case KindNull:
			continue
		case KindArray:
			b = appendQuery(b, name, v.Array())
			continue
		}
		if len(b) > 0 {
			b = append(b, '&')
		}
		b = append(append(b, name...), '=')
		if v.kind == KindBool && v.num == 0 {
			b = append(b, '0')
			continue
		}
		b = appendURLEncoded(b, ToString(v))
	}
	return b
}
