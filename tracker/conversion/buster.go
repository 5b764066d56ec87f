package conversion

import (
	"crypto/md5" // Matomo's format
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// orderBuster is the buster of an order: the first four bytes of the md5 of its id (spec §8.4).
func orderBuster(orderID string) int64 {
	sum := md5.Sum([]byte(orderID)) // Matomo's format
	return int64(binary.BigEndian.Uint32(sum[:4]))
}

// goalBuster lets a goal convert more than once in a visit: a random number between 10 and 39, then the time without
// its first two digits (spec §8.3).
func goalBuster(random io.Reader, unix int64) (int64, error) {
	var b [2]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, fmt.Errorf("random digits: %w", err)
	}
	digits := strconv.FormatInt(unix, 10)
	const dropped = 2
	buster := strconv.Itoa(int(1+b[0]%3)) + strconv.Itoa(int(b[1]%10)) + digits[min(dropped, len(digits)):]
	return strconv.ParseInt(buster, 10, 64)
}
