package queue

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// MaxQueues is the highest number of queues that the plugin's settings allow; ids are 0 … MaxQueues-1.
const MaxQueues = 4096

const listPrefix = "trackingQueueV1"

// Key is the name of the list of a queue (spec §0.1).
func Key(id int) string {
	if id == 0 {
		return listPrefix
	}
	return listPrefix + "_" + strconv.Itoa(id)
}

// ID is the queue whose list has this name; ok is false where there is none.
func ID(list string) (id int, ok bool) {
	if list == listPrefix {
		return 0, true
	}
	number, ok := strings.CutPrefix(list, listPrefix+"_")
	id, err := strconv.Atoi(number)
	return id, ok && err == nil && Key(id) == list && id < MaxQueues
}

// Keys are the names of the lists of the queues from first up to, but not including, end.
func Keys(first, end int) []string {
	keys := make([]string, 0, max(0, end-first))
	for id := first; id < end; id++ {
		keys = append(keys, Key(id))
	}
	return keys
}

// Keys of our own beside a list have its name in braces, which puts them into its hash slot in a Redis Cluster.

// OffsetKey names the counter of the entries that were ever removed from a list by us (docs/how-it-works.md).
func OffsetKey(list string) string { return "queuedtracking:offset:{" + list + "}" }

// FailedKey names the list of the dead letters of a list.
func FailedKey(list string) string { return "queuedtracking:failed:{" + list + "}" }

// DayKey names the statistics of a day, written as 2006-01-02, and TotalKey those of all days, of all queues together.
// They are in one hash slot.
func DayKey(day string) string { return statistics + day }

// TotalKey names the statistics of all days.
const TotalKey = statistics + "total"

const statistics = "queuedtracking:history:{" + listPrefix + "}:"

// movedKey names the mark of what the list has taken over from queue from.
func movedKey(list string, from int) string {
	return "queuedtracking:moved:{" + list + "}:" + strconv.Itoa(from)
}

// QueueIDOfVisitor tells the queue of a request of a visitor (8 bytes, or nothing when the request names none) at the
// address ip, as text: the plugin goes by the visitor id, else by the address (spec §0.1).
func QueueIDOfVisitor(visitorID []byte, ip string, workers int) int {
	if workers < 2 {
		return 0
	}
	if len(visitorID) < 2 {
		sum := md5.Sum([]byte(ip))
		visitorID = sum[:]
	}
	threeDigits := int(visitorID[0])<<4 | int(visitorID[1])>>4
	return threeDigits % workers
}

// visitorIDDigits is the length of a visitor id as hexadecimal text.
const visitorIDDigits = 16

// VisitorID is the visitor id (8 bytes) that the request names with Matomo's default settings, nil when it names none
// or a wrong one (spec §1.8): the user id's hash, the forced id, the first-party cookie's id. Sites that change these
// settings, or that use the third-party cookie, need the rule of package tracker/request.
func VisitorID(params *php.Array) []byte {
	if uid := php.ReadString(params, "uid", ""); !php.EmptyString(uid) {
		sum := sha1.Sum([]byte(uid))
		return sum[:visitorIDDigits/2]
	}
	if cid := php.ReadString(params, "cid", ""); !php.EmptyString(cid) {
		if len(cid) != visitorIDDigits {
			return nil
		}
		return hexDigits(cid)
	}
	if id := php.ReadString(params, "_id", ""); len(id) >= visitorIDDigits {
		return hexDigits(id[:visitorIDDigits])
	}
	return nil
}

// hexDigits decodes hexadecimal text as Matomo does: what is no digit counts as 0 ("zz23…" is 00 23 …).
func hexDigits(s string) []byte {
	digits := []byte(s)
	for i, c := range digits {
		if !isHexDigit(c) {
			digits[i] = '0'
		}
	}
	n, _ := hex.Decode(digits, digits)
	return digits[:n]
}

func isHexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
