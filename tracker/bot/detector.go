// Package bot knows what Matomo's plugin BotTracking records: requests of bots that fetch pages for the users of AI
// assistants, as rows of table log_bot_request (spec §V1.1.3, §V2.1.2 and §V2.1.4).
//
// Whether a request is one of a bot at all, and is to be recorded as such, is the tracker's decision.
package bot

import "github.com/queuedtracking/queuedtracking/internal/php"

// Detector finds bots by their user agents. It never changes.
type Detector struct{ bots []known }

// known is a bot of the list.
type known struct{ word, name, kind string }

// Bot is what the columns bot_name and bot_type hold.
type Bot struct{ Name, Type string }

// Find looks for the words of the list in a user agent, which is sanitised; case does not matter, the first of the
// list wins. ok is false when there is none.
func (d *Detector) Find(ua string) (b Bot, ok bool) {
	if php.EmptyString(ua) {
		return Bot{}, false
	}
	for _, k := range d.bots {
		if php.ContainsFold(ua, k.word) {
			return Bot{k.name, k.kind}, true
		}
	}
	return Bot{}, false
}
