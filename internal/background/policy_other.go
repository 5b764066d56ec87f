//go:build !linux

package background

func batch() {}
