package matomo

import (
	"strconv"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// iniExpression calculates with the tokens of a value. The binary operators are equally strong and go from left to
// right.
type iniExpression struct {
	tokens []iniToken
}

func (e *iniExpression) next() byte {
	if len(e.tokens) == 0 {
		return 0
	}
	return e.tokens[0].operator
}

func (e *iniExpression) binary() (result string, ok bool) {
	result, ok = e.unary()
	for ok {
		operator := e.next()
		if operator != '|' && operator != '&' && operator != '^' {
			break
		}
		e.tokens = e.tokens[1:]
		var right string
		if right, ok = e.unary(); ok {
			result = calculate(operator, result, right)
		}
	}
	return result, ok
}

func calculate(operator byte, left, right string) string {
	a, b := int32(php.StringToInt(left)), int32(php.StringToInt(right)) // PHP calculates with C's int here
	switch operator {
	case '|':
		a |= b
	case '&':
		a &= b
	default:
		a ^= b
	}
	return strconv.Itoa(int(a))
}

// unary reads texts, or an operand after ~ or !, or one in parentheses.
func (e *iniExpression) unary() (result string, ok bool) {
	switch operator := e.next(); operator {
	case '~', '!':
		e.tokens = e.tokens[1:]
		operand, ok := e.unary()
		n := int32(php.StringToInt(operand)) // PHP calculates with C's int here
		switch {
		case operator == '~':
			return strconv.Itoa(int(^n)), ok
		case n == 0:
			return "1", ok
		default:
			return "0", ok
		}
	case '(':
		e.tokens = e.tokens[1:]
		result, ok = e.binary()
		if !ok || e.next() != ')' {
			return "", false
		}
		e.tokens = e.tokens[1:]
		return result, true
	}
	for len(e.tokens) > 0 && e.tokens[0].operator == 0 && !e.tokens[0].word {
		result += e.tokens[0].text
		e.tokens = e.tokens[1:]
		ok = true
	}
	return result, ok
}
