package store

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
)

func TestBotRequestsAreInserted(t *testing.T) {
	onEachDatabaseOfSix(t, func(t *testing.T, s *Store) {
		page := &ActionEntry{Type: 1, Name: "a.example/p", Prefix: Int(0)}
		requests := []*BotRequest{
			{
				SiteID: 1, ServerTime: testTime, URL: ActionOf(page), Name: "ChatGPT-User", Type: "ai_chatbot",
				HTTPStatus: Int(200), ResponseBytes: Int(4294967295), ResponseMillis: Int(0), Source: Text("<é> "),
			},
			{SiteID: 2, ServerTime: testTime + 1, URL: NoAction, Name: "Claude-User", Type: "ai_chatbot"},
			{SiteID: 2, ServerTime: testTime + 2, Name: "Claude-User", Type: "ai_chatbot"},
		}
		for _, r := range requests {
			if err := s.ConformBotRequest(r); err != nil {
				t.Fatal(err)
			}
		}
		inTx(t, s, func(ctx context.Context, tx *Tx) error {
			if err := tx.CreateActions(ctx, []*ActionEntry{page}); err != nil {
				return err
			}
			return tx.InsertBotRequests(ctx, requests)
		})
		rows := readBots(t, s.db)
		want := []string{
			"1 1 page ChatGPT-User ai_chatbot 200 4294967295 0 <é> .",
			"2 2 0 Claude-User ai_chatbot - - - -",
			"3 2 - Claude-User ai_chatbot - - - -",
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Error(diff)
		}
		var created int
		if err := s.db.Get(&created, "SELECT COUNT(*) FROM m_log_bot_request WHERE created_time > '2020-01-01 00:00:00'"); err != nil || created != 3 {
			t.Errorf("%d rows with the database's time, want 3 (%v)", created, err)
		}
	})
}

// readBots shows the rows in the order of their ids.
func readBots(t *testing.T, db *sqlx.DB) (lines []string) {
	t.Helper()
	const query = "SELECT b.idrequest, b.idsite, COALESCE(CASE WHEN a.idaction IS NULL THEN CAST(b.idaction_url AS CHAR) ELSE 'page' END, '-'), " +
		"b.bot_name, b.bot_type, COALESCE(CAST(http_status_code AS CHAR), '-'), COALESCE(CAST(response_size_bytes AS CHAR), '-'), " +
		"COALESCE(CAST(response_time_ms AS CHAR), '-'), COALESCE(source, '-') FROM m_log_bot_request b " +
		"LEFT JOIN m_log_action a ON a.idaction = b.idaction_url ORDER BY b.idrequest"
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var cells [9]string
		targets := make([]any, len(cells))
		for i := range cells {
			targets[i] = &cells[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		if source := cells[8]; strings.HasSuffix(source, " ") {
			cells[8] = source + "."
		}
		lines = append(lines, strings.Join(cells[:], " "))
	}
	return lines
}

func TestBotRequestsThatDoNotFitAreRefusedBeforehand(t *testing.T) {
	onEachDatabaseOfSix(t, func(t *testing.T, s *Store) {
		tests := []struct {
			column, reason string
			spoil          func(b *BotRequest)
		}{
			{"", "", func(*BotRequest) {}},
			{"", "", func(b *BotRequest) { b.Source = Text(strings.Repeat("é", 50)) }},
			{"source", tooLong, func(b *BotRequest) { b.Source = Text(strings.Repeat("x", 51)) }},
			{"", "", func(b *BotRequest) { b.Source = Text(strings.Repeat("x", 50) + " ") }},
			{"source", invalidText, func(b *BotRequest) { b.Source = Text("\xff") }},
			{"", "", func(b *BotRequest) { b.HTTPStatus = Int(65535) }},
			{"http_status_code", outOfRange, func(b *BotRequest) { b.HTTPStatus = Int(65536) }},
			{"response_size_bytes", outOfRange, func(b *BotRequest) { b.ResponseBytes = Int(4294967296) }},
			{"response_time_ms", outOfRange, func(b *BotRequest) { b.ResponseMillis = Int(4294967296) }},
		}
		for i, tt := range tests {
			b := &BotRequest{SiteID: 1, ServerTime: testTime, Name: "Claude-User", Type: "ai_chatbot"}
			tt.spoil(b)
			err := s.ConformBotRequest(b)
			var refused *DataError
			switch {
			case tt.column == "" && err != nil:
				t.Errorf("%d: %v, want no error", i, err)
			case tt.column != "" && (!errors.As(err, &refused) || *refused != DataError{
				"log_bot_request", tt.column,
				tt.reason,
			}):
				t.Errorf("%d: %v, want %s: %s", i, err, tt.column, tt.reason)
			}
		}
	})
}

func TestBotRequestsWithoutTheirTableAreRefused(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		err := s.ConformBotRequest(&BotRequest{SiteID: 1, ServerTime: testTime, Name: "Claude-User", Type: "ai_chatbot"})
		if !IsDataError(err) {
			t.Errorf("%v, want an error of the data", err)
		}
	})
}
