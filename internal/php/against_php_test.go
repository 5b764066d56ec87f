package php

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// textOf makes texts of up to n of the tokens, one or more blanks separating them in tokens.
func textOf(n int, tokens string) func(r *rand.Rand) []Value {
	return func(r *rand.Rand) []Value { return []Value{String(randomText(r, n, strings.Split(tokens, " ")))} }
}

func randomText(r *rand.Rand, n int, tokens []string) string {
	var b strings.Builder
	for range r.IntN(n + 1) {
		b.WriteString(tokens[r.IntN(len(tokens))])
	}
	return b.String()
}

const (
	numberTokens = "0 1 2 5 9 7 . - + e E 00 123 9223372036854775807 9223372036854775808 x , 0x1A e5 e400 1.5 \t \n \v " +
		"_ INF"
	entityTokens = "& &amp; &amp &lt; &lt;b&gt; &#039; &#39; &#x27; &#X3C; &#0; &#10; &#128; &#233; &#xD800; &#1114112; " +
		"&#99999999999999999999; &eacute; &apos; &Eacute; &lang; " +
		"&euro; &thetasym; &nosuchname; &#; &#x; ; # < > ' \" a é \xe4 \xc3 \x00 \n \r 1 &nbsp; &amp;amp; 😀 \xed\xa0\x80 x " +
		"&# 39; &#12a;"
	urlTokens = "http https : : / / // ? # @ a.com h 80 80a 99999 [::1] [ ] file mailto \x01 \x7f é %20 & = + . - _ x " +
		"c user p 123456 443 \t 0 javascript"
	utf8Tokens = "a Z É ß İ Σ ς \xe4 \xc3 \xe2\x82 \xf0\x9f\x98 \xf0 \x80 \xbf \xed\xa0\x80 \xf4\x90\x80\x80 \xfe " +
		"\xc0\xaf 😀 \xe0\x80 Ⅷ Ǆ ﬀ \xff"
	jsonTokens = `{ } [ ] , : " "a" "b":1 "a":2 1 -1 0 01 1.5 1e3 1E+2 1. .5 - true false null True "é" "\u00e9" "\ud83d\ude00" "\ud83d" "\udc00" "\x" "\n\t\/" ` +
		"12345678901234567890 -9223372036854775808 \"\xe4\" \"\x01\" \t \n {\"a\":1,\"a\":2} [1,2] {} [] \"\\u0000a\" -0 " +
		"-0.0 1e999"
)

func str(f func(string) string) func([]Value) Value {
	return func(args []Value) Value { return String(f(args[0].Str())) }
}

func TestTextAgainstPHP(t *testing.T) {
	compareWithPHP(t, "trim", 3000, textOf(6, "a \t \n \r \x00 \v \f é  x"), str(Trim))
	compareWithPHP(t, "mb_strtolower", 20000, textOf(6, utf8Tokens), str(MBToLower))
	compareWithPHP(t, "mb_substr", 10000, func(r *rand.Rand) []Value {
		return append(textOf(8, utf8Tokens)(r), Int(r.Int64N(9)))
	}, func(args []Value) Value { return String(CutRunes(args[0].Str(), int(args[1].Int()))) })
	compareWithPHP(t, "stripos", 5000, func(r *rand.Rand) []Value {
		return append(textOf(6, "a A b B é É x")(r), textOf(2, "a A b B é É x")(r)...)
	}, func(args []Value) Value { return Bool(ContainsFold(args[0].Str(), args[1].Str())) })
}

func TestLowerCaseOfEveryCharacterAgainstPHP(t *testing.T) {
	program := phpProgram()
	if program == "" {
		t.Skip("no php in the path to compare with; set PHP to one (8.2 with mbstring)")
	}
	var questions []question
	for code := rune(1); code < 0x30000; code++ {
		questions = append(questions, question{"mb_strtolower", []Value{String(string(code))}})
	}
	for i, want := range askPHP(t, program, questions) {
		if got := MBToLower(questions[i].args[0].Str()); got != want.Str() {
			t.Errorf("%v: got %q, want %q", questions[i], got, want.Str())
		}
	}
}

func randomScalar(r *rand.Rand) Value {
	switch r.IntN(8) {
	case 0:
		return Null
	case 1:
		return Bool(r.IntN(2) == 0)
	case 2:
		return Int(r.Int64N(20) - 10)
	case 3:
		return Float(randomFloat(r))
	case 4:
		return String("abc")
	}
	return textOf(4, numberTokens)(r)[0]
}

func randomFloat(r *rand.Rand) float64 {
	switch r.IntN(5) {
	case 0:
		return float64(r.IntN(100000)) / 1000
	case 1:
		return StringToFloat(randomText(r, 6, strings.Split("1 2 3 5 9 0 . e- e", " ")))
	case 2:
		return (r.Float64() - 0.5) * 1e20
	case 3:
		return float64(r.IntN(20000)-10000) + 0.5
	}
	return r.NormFloat64()
}

func TestNumbersAgainstPHP(t *testing.T) {
	scalar := func(r *rand.Rand) []Value { return []Value{randomScalar(r)} }
	two := func(r *rand.Rand) []Value { return []Value{randomScalar(r), randomScalar(r)} }
	compareWithPHP(t, "is_numeric", 20000, textOf(4, numberTokens),
		func(args []Value) Value { return Bool(IsNumeric(args[0].Str())) })
	compareWithPHP(t, "int", 20000, func(r *rand.Rand) []Value {
		v := randomScalar(r)
		for strings.Contains(v.Str(), "808e") {
			v = randomScalar(r) // (int) of "9223372036854775808e+" is undefined behaviour of C
		}
		return []Value{v}
	}, func(args []Value) Value { return Int(ToInt(args[0])) })
	compareWithPHP(t, "float", 20000, scalar, func(args []Value) Value { return Float(ToFloat(args[0])) })
	compareWithPHP(t, "string", 20000, scalar, func(args []Value) Value { return String(ToString(args[0])) })
	compareWithPHP(t, "bool", 20000, scalar, func(args []Value) Value { return Bool(ToBool(args[0])) })
	compareWithPHP(t, "equal", 60000, two, func(args []Value) Value { return Bool(LooseEqual(args[0], args[1])) })
	compareWithPHP(t, "round", 60000, func(r *rand.Rand) []Value {
		return []Value{Float(randomFloat(r)), Int(r.Int64N(8) - 2)}
	}, func(args []Value) Value { return Float(Round(args[0].Float(), int(args[1].Int()))) })
}

func TestHTMLAgainstPHP(t *testing.T) {
	compareWithPHP(t, "sanitize", 40000, textOf(6, entityTokens), str(Sanitize))
	compareWithPHP(t, "unsanitize", 40000, textOf(6, entityTokens), str(Unsanitize))
}

func urlValue(args []Value) Value {
	u, ok := ParseURL(args[0].Str())
	if !ok {
		return Bool(false)
	}
	a := &Array{}
	set := func(has bool, key string, v Value) {
		if has {
			a.Set(key, v)
		}
	}
	set(u.HasScheme, "scheme", String(u.Scheme))
	set(u.HasHost, "host", String(u.Host))
	set(u.HasPort, "port", Int(int64(u.Port)))
	set(u.HasUser, "user", String(u.User))
	set(u.HasPass, "pass", String(u.Pass))
	set(u.HasPath, "path", String(u.Path))
	set(u.HasQuery, "query", String(u.Query))
	set(u.HasFragment, "fragment", String(u.Fragment))
	return ArrayValue(a)
}

func randomValue(r *rand.Rand, depth int) Value {
	if depth == 0 || r.IntN(3) > 0 {
		if r.IntN(3) == 0 {
			return String(randomText(r, 4, strings.Split(`a é / " \ 😀 & < \n = %`+" \x01 \x7f \xe4", " ")))
		}
		return randomScalar(r)
	}
	a := &Array{}
	for range r.IntN(5) {
		if r.IntN(2) == 0 {
			a.Append(randomValue(r, depth-1))
		} else {
			a.Set(randomText(r, 2, strings.Split("a b 1 0 - é /", " ")), randomValue(r, depth-1))
		}
	}
	return ArrayValue(a)
}

func TestURLsAgainstPHP(t *testing.T) {
	compareWithPHP(t, "parse_url", 100000, textOf(8, urlTokens), urlValue)
	compareWithPHP(t, "urldecode", 10000, textOf(6, "% %2 %20 %zz + a é %E4 %e4 5 %%"), str(URLDecode))
	compareWithPHP(t, "urlencode", 10000, textOf(6, "% + a é - _ . ~ / A 5 & * \x00 \xff"), str(URLEncode))
	compareWithPHP(t, "http_build_query", 5000, func(r *rand.Rand) []Value {
		return []Value{ArrayValue(List(randomValue(r, 3), randomValue(r, 3)))}
	}, func(args []Value) Value { return String(HTTPBuildQuery(args[0].Array())) })
}

func orError(v Value, err error) Value {
	if err != nil {
		return String("error")
	}
	return ArrayValue(List(v))
}

func TestCodecsAgainstPHP(t *testing.T) {
	value := func(r *rand.Rand) []Value { return []Value{randomValue(r, 4)} }
	compareWithPHP(t, "json_decode", 100000, textOf(7, jsonTokens),
		func(args []Value) Value { return orError(DecodeJSON(args[0].Str())) })
	compareWithPHP(t, "json_encode", 20000, value, func(args []Value) Value {
		s, err := EncodeJSON(args[0])
		if err != nil {
			return Bool(false)
		}
		return String(s)
	})
	compareWithPHP(t, "serialize", 20000, value, func(args []Value) Value { return String(Serialize(args[0])) })
	compareWithPHP(t, "unserialize", 50000, func(r *rand.Rand) []Value {
		s := Serialize(randomValue(r, 3))
		if i := r.IntN(len(s)); r.IntN(2) == 0 {
			s = s[:i] + randomText(r, 2,
				strings.Split(`i:5; i:+5; d:.5; d:1e3; b:2; a:1:{ } ; " : s:1:"a"; N; -INF s:01: 3`, " ")) + s[i:]
		}
		return []Value{String(s)}
	}, func(args []Value) Value { return orError(Unserialize(args[0].Str())) })
	compareWithPHP(t, "base64_decode", 20000, textOf(9, "A b C 9 / + = - _ \n Kg ** é Zm9v"), str(Base64Decode))
}

func TestAddressesAgainstPHP(t *testing.T) {
	compareWithPHP(t, "inet_pton", 60000, textOf(12, ". : :: 0 1 255 256 01 a ffff 1.2.3.4 fe80 %1 12345 [ / . : : ."),
		func(args []Value) Value {
			ip, ok := ParseIP(args[0].Str())
			if !ok {
				return Bool(false)
			}
			return String(string(ip))
		})
	compareWithPHP(t, "inet_ntop", 20000, func(r *rand.Rand) []Value {
		ip := make([]byte, 4+12*r.IntN(2))
		for i := range ip {
			if r.IntN(3) == 0 {
				ip[i] = byte(r.Int())
			} else if r.IntN(8) == 0 {
				ip[i] = 0xff
			}
		}
		return []Value{String(string(ip))}
	}, func(args []Value) Value { return String(FormatIP([]byte(args[0].Str()))) })
}

func TestVersionsAgainstPHP(t *testing.T) {
	const tokens = "0 1 2 10 01 . . . - _ + a alpha b beta rc RC dev pl p x #"
	compareWithPHP(t, "version_compare", 60000, func(r *rand.Rand) []Value {
		return append(textOf(5, tokens)(r), textOf(5, tokens)(r)...)
	}, func(args []Value) Value { return Int(int64(VersionCompare(args[0].Str(), args[1].Str()))) })
}

const patternTokens = `a b A B é [ ] [^ a-z 0-9 \d \w \s \S \W \b \B \h \v \R \N . * + ? *? +? ++ {2} {1,2} {,2} {2,} ( ) (?: (?= (?! (?<= (?<! (?> | ^ $ \A \z \Z \1 \2 \G ` +
	`(?i) (?-i) (?s) (?m) (?i: (?P<n> \k<n> (?P=n) \g{1} \g-1 [[:alpha:]] [^[:space:]] [:alpha:] \x41 \xe9 \x{e9} \101 \0 \. \/ \Q \E - \- & _ 1 \p{L} \pL \P{Lu} \n \t # (?#x) { } \e ` +
	"\\c[ \xe9 [\\d-] [\\w.-] [a\\]b] []a] \\8 \\12 (?x) (?n) (?<m> ' , : (a|ab) (a*)* (a|b)+ (|a)+ (a*?) (?U) \\K a\\K " +
	"\\Kb +(?#x)+ *(?#)? ?\\E+ " +
	`(?R) (?1) (?&n) (?P>n) \g<1> (?(1)a|b) (?(?=a)b|c) (?(DEFINE)(?<n>a)) (?|a|(b)) \X \C (*ACCEPT) (*COMMIT) (*SKIP) (*F) (*UCP) (*atomic:a) (?C) \y \u0041`

// randomPattern is a pattern with delimiters and modifiers, and a subject.
func randomPattern(r *rand.Rand) []Value {
	delimiter := []string{"/", "#", "~", "("}[r.IntN(4)]
	pattern := delimiter + randomText(r, 8, strings.Split(patternTokens, " ")) + strings.Replace(delimiter, "(", ")", 1)
	pattern += randomText(r, 2, strings.Split("i i i m s x D A U u n  ", " "))
	return []Value{
		String(pattern),
		String(randomText(r, 8, strings.Split("a b A B ab é \xe9 1 0 \n _ - . \t & aa ]", " "))),
	}
}

func checkPattern(args []Value, want Value) (string, bool) {
	re, err := CompileLiteral(args[0].Str())
	if err != nil {
		return err.Error(), want.Str() == "error"
	}
	subject := args[1].Str()
	got := re.FindSubmatch(subject)
	if want.Str() == "error" {
		_, err := re.re.Match(subject)
		return fmt.Sprintf("%q", got), got == nil && (err != nil || strings.Contains(args[0].Str(), `\K`))
	}
	var groups []string
	for key, v := range want.Array().All() {
		if isIntKey(key) {
			groups = append(groups, v.Str())
		}
	}
	for len(groups) > 0 && len(groups) < len(got) {
		groups = append(groups, "") // PHP leaves out groups at the end that took no part
	}
	return fmt.Sprintf("%q", got), slices.Equal(got, groups) && re.Match(subject) == (groups != nil)
}

func TestRegexpsAgainstPHP(t *testing.T) {
	compareAnswers(t, "preg_match", 60000, randomPattern, checkPattern)
}

// writtenDates makes a date or a relative phrase as people and libraries write them.
func writtenDates(r *rand.Rand) []Value {
	pick := func(choices string) string {
		all := strings.Split(choices, "|")
		return all[r.IntN(len(all))]
	}
	const (
		dates = "2024-01-15|2024-1-5|2024/01/15|01/15/2024|1/5/24|15.01.2024|15-01-2024|20240115|2024-01|15 January " +
			"2024|January 15, 2024|15-Jan-2024|Jan 5 2024|5 May|May 2024|2024 Feb|" +
			"Mon, 15 Jan 2024|Tuesday 16 January 2024|1st March 2024|March 22nd, " +
			"2023|2024-02-30|2024-01-32|2024-13-01|1999-12-31|24-01-15|2024-06-30|IV 2024|3/7"
		times = "10:00|10:00:05|10:00:05.123|3pm|3:30 pm|3:30:15 a.m.|12am|12:00 " +
			"PM|24:00|00:00:00|23:59:60|10.30|10:61|noon|midnight|0930|t0930|9:5"
		zones  = "Z|UTC|GMT|EST|CEST|+0200|-03:30|+02:00|Europe/Berlin|America/New_York|+5|GMT+2|(PST)|B|foo|Nowhere/City"
		stamps = "2024-01-15T10:00:05Z|2024-01-15T10:00:05+02:00|2024-01-15T10:00:05.5Z|2024-01-15T10:00:05.123-0330|" +
			"20240115T100005|20240115T10:00:05|@1705300000|@-5|@1705300000.5|2024:01:15 10:00:05|" +
			"15/Jan/2024:10:00:05 +0200|2024-01-15T10:00|2024-01-15 10:00:05,123|2024-01-15T10|2024-W03-1|2024W03|" +
			"2024.015|Jan-15-2024|2024-Jan-15|back of 7pm|front of 7|+2024-01-15 10:00:05+010000"
		words = "now|today|yesterday|tomorrow|midnight|noon|yesterday noon|tomorrow 10:00|monday|next friday|last " +
			"sunday|this wednesday|first day of next month|last day of february|last day of|next week|last year|previous " +
			"month|monday next week"
		quantities = "+1|-2|3|+ 4|10"
		units      = "day|days|week|weeks|month|months|year|hour|hours|minutes|min|sec|seconds|fortnight|days ago|month " +
			"ago|hours ago"
	)
	var parts []string
	switch r.IntN(6) {
	case 0:
		parts = append(parts, pick(stamps))
	case 1:
		parts = append(parts, pick(words))
	case 2:
		parts = append(parts, pick(times), pick(zones+"||||"))
	default:
		parts = append(parts, pick(dates), pick(times+"|||"), pick(zones+"|||||"))
	}
	for range r.IntN(3) {
		parts = append(parts, pick(quantities)+pick(" |")+pick(units))
	}
	const now = 1_700_000_000
	return []Value{String(strings.TrimSpace(strings.Join(parts, " "))), Int(now + r.Int64N(50_000_000))}
}

func TestDatesAgainstPHP(t *testing.T) {
	compareWithPHP(t, "strtotime", 40000, writtenDates, func(args []Value) Value {
		unix, ok := StrToTime(args[0].Str(), args[1].Int())
		if !ok {
			return Bool(false)
		}
		return Int(unix)
	})
}
