package tracker

import (
	"context"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/bot"
	"github.com/queuedtracking/queuedtracking/tracker/exclude"
)

// botRequest is a request that is recorded in log_bot_request.
type botRequest struct {
	*bot.Record
	unfit bool // the table cannot hold it. Matomo takes no notice, but the name of its URL is there by then
}

// The values of recMode that have a meaning.
const (
	onlyBots   = 1
	botsAsBots = 2
)

// route decides by the parameter recMode, in whatever type it came, whether a request is recorded as a visit, as a
// request of a bot, or nowhere, in which case excluded says why (spec §V1.1.1). Versions that know recMode also look
// for the device here, so that wrong client hints refuse requests that nothing would be recorded of.
func (t *Tracker) route(p *parsed) (asBot bool, err error) {
	if !t.behaviours.BotRequests {
		return false, nil
	}
	if err := t.readDevice(p); err != nil {
		return false, err
	}
	mode := p.req.Raw().Value("recMode")
	if php.Empty(mode) {
		return false, nil
	}
	switch n := php.ToInt(mode); {
	case n != onlyBots && n != botsAsBots:
		p.excluded = exclude.UnknownRecMode
		return false, nil
	case t.isBot(p):
		return true, nil
	case n == onlyBots:
		p.excluded = exclude.NoBot
	}
	return false, nil
}

// isBot asks device-detector and plugin BotTracking.
func (t *Tracker) isBot(p *parsed) bool {
	if p.device.Bot || t.bots == nil {
		return p.device.Bot
	}
	_, listed := t.bots.Find(p.req.UserAgent())
	return listed
}

// readBot makes the record of a bot's request for a site that there is. No rule excludes one, but most bots are of no
// interest.
func (t *Tracker) readBot(p *parsed, now int64) {
	found, listed := bot.Bot{}, false
	if t.bots != nil {
		found, listed = t.bots.Find(p.req.UserAgent())
	}
	if !listed {
		p.excluded = exclude.UnlistedBot
		return
	}
	p.facts.Site, p.facts.Time, p.date = p.req.Site(), now, php.LocalDate(now, p.req.Site().Location)
	p.bot = &botRequest{Record: bot.Read(p.req, found, now, t.behaviours.BotURLExclusions)}
	if t.store.ConformBotRequest(&p.bot.Row) != nil {
		p.bot.unfit, p.excluded = true, exclude.UnfitBot
	}
}

// recordBot makes the row part of the batch. The day's reports have to be made again also when the table cannot hold
// it.
func (a *applier) recordBot(ctx context.Context, p *parsed) error {
	a.ids = a.ids[:0]
	ids, _ := a.resolve(p.bot.Lookups) // none for a name that log_action cannot hold
	a.keepIDs(ids)
	if !p.bot.unfit {
		row := p.bot.Row // a further attempt begins anew
		if len(ids) > 0 {
			row.URL = ids[0]
		}
		a.work.pending.bots = append(a.work.pending.bots, &row)
		a.result.BotRequests++
	}
	return a.mark(ctx, p)
}
