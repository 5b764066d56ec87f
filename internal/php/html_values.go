package php

// SanitizeValue sanitises strings, also within arrays and as their keys; other values stay as they are (spec §A.5). A
// key that changes moves to the end of its array. v itself is not changed.
func SanitizeValue(v Value) Value {
	switch v.kind {
	case KindString:
		return String(Sanitize(v.Str()))
	case KindArray:
		if isClean(v.Array()) {
			return v
		}
		return ArrayValue(sanitizeArray(v.Array()))
	}
	return v
}

// isClean reports whether sanitising leaves a as it is.
func isClean(a *Array) bool {
	for key, v := range a.All() {
		if Sanitize(key) != key {
			return false
		}
		switch {
		case v.kind == KindString && Sanitize(v.Str()) != v.Str(), v.kind == KindArray && !isClean(v.Array()):
			return false
		}
	}
	return true
}

func sanitizeArray(a *Array) *Array {
	clean := NewArray(a.Len())
	for key, v := range a.All() {
		if Sanitize(key) == key {
			clean.Set(key, SanitizeValue(v))
		}
	}
	for key, v := range a.All() {
		if newKey := Sanitize(key); newKey != key {
			clean.Set(newKey, SanitizeValue(v))
		}
	}
	return clean
}

// UnsanitizeValue decodes strings, also within arrays, but not their keys (spec §A.5). Everything that is neither
// string nor array becomes text: null and false are "", true is "1".
func UnsanitizeValue(v Value) Value {
	if v.kind != KindArray {
		return String(Unsanitize(ToString(v)))
	}
	plain := NewArray(v.Array().Len())
	for key, e := range v.Array().All() {
		plain.Set(key, UnsanitizeValue(e))
	}
	return ArrayValue(plain)
}
