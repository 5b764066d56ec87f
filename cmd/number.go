package cmd

import (
	"errors"
	"strconv"
)

// optionalNumber is a flag whose value is a number from 0 up, or that is not set. As in Matomo's console "" counts as
// not set.
type optionalNumber struct {
	value int
	set   bool
}

func (o *optionalNumber) String() string {
	if !o.set {
		return ""
	}
	return strconv.Itoa(o.value)
}

func (o *optionalNumber) Set(s string) error {
	if s == "" {
		*o = optionalNumber{}
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return errors.New("not a number from 0 up")
	}
	*o = optionalNumber{n, true}
	return nil
}

func (o *optionalNumber) Type() string { return "number" }
