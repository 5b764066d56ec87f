package store

import "context"

// BotRequest is a row of log_bot_request, which plugin BotTracking fills (spec §V2.1.4). The database notes the time at
// which it got the row.
type BotRequest struct {
	SiteID         int64
	ServerTime     int64    // unix seconds
	URL            ActionID // NULL: the request gave none
	Name, Type     string   // of the bot
	HTTPStatus     NullInt
	ResponseBytes  NullInt
	ResponseMillis NullInt
	Source         NullText
}

// botRequests is the name of the table.
const botRequests = "log_bot_request"

// botColumns lists the columns of log_bot_request.
func botColumns() []column[BotRequest] {
	type c = column[BotRequest]
	return []c{
		{name: "idsite", value: func(b *BotRequest) any { return &b.SiteID }},
		{name: "server_time", value: func(b *BotRequest) any { return &b.ServerTime }},
		{name: "idaction_url", value: func(b *BotRequest) any { return &b.URL }},
		{name: "bot_name", value: func(b *BotRequest) any { return &b.Name }},
		{name: "bot_type", value: func(b *BotRequest) any { return &b.Type }},
		{name: "http_status_code", value: func(b *BotRequest) any { return &b.HTTPStatus }},
		{name: "response_size_bytes", value: func(b *BotRequest) any { return &b.ResponseBytes }},
		{name: "response_time_ms", value: func(b *BotRequest) any { return &b.ResponseMillis }},
		{name: "source", value: func(b *BotRequest) any { return &b.Source }},
	}
}

// ConformBotRequest brings the values of a bot's request to what log_bot_request would store, or returns a *DataError,
// also when there is no such table.
func (s *Store) ConformBotRequest(b *BotRequest) error {
	if len(s.bots.columns) == 0 {
		return &DataError{botRequests, "*", "no such table"}
	}
	return conform(&s.bots, b, s.converter(false), false)
}

// InsertBotRequests adds rows in this order. Their entries must have been created.
func (tx *Tx) InsertBotRequests(ctx context.Context, requests []*BotRequest) error {
	return insertRows(ctx, tx, &tx.s.bots, insertion[BotRequest]{verb: insertInto}, requests)
}
