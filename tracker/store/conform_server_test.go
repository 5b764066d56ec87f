package store

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// conformCases are declared types with values in the form in which they are sent.
var conformCases = []struct {
	declared, charset string
	values            []string
}{
	{"tinyint(1)", "", []string{
		"0", "127", "128", "-128", "-129", "12.5", "-0.5", "1e1", "", "abc", "7x", " 5", "5 ",
		"99999999999999999999",
	}},
	{"tinyint(1) unsigned", "", []string{"255", "256", "-1", "-0.4", "2.5"}},
	{"smallint(5) unsigned", "", []string{"65535", "65536", "-7"}},
	{"mediumint(10) unsigned", "", []string{"16777215", "16777216"}},
	{"int(11)", "", []string{"2147483647", "2147483648", "-2147483648", "-2147483649"}},
	{"int(10) unsigned", "", []string{"4294967295", "4294967296", "-1"}},
	{"bigint(20)", "", []string{"9223372036854775807", "-9223372036854775808", "-9223372036854775809"}},
	{"double", "", []string{
		"1", "1.50", "-3.25", "1e400", "-1e400", "INF", "NAN", "", "12abc", ".5", "5.", "1e", "0x1A",
		"1.7976931348623157e308", "1,5", " 2.5 ",
	}},
	{"double unsigned", "", []string{"-1.5", "1.5"}},
	{"float", "", []string{"19.99", "1234567.89", "1e39", "-1e39", "0.1", "33333.333333", "123456789", "abc"}},
	{"float(10,2)", "", []string{"19.994", "19.996", "123456789.12", "-7"}},
	{"decimal(9,6)", "", []string{
		"12.5", "-0", "0", "-0.0000001", "12.3456785", "12.3456784", "999.9999994", "999.9999996", "1000", "-1000", "1e2",
		"1e-9", "abc", "12x", "",
		"+1.5", ".5", "1.", "1e99999", "-181", " 3", "52.520008", "-12.500000", "007.1",
	}},
	{"decimal(5,0) unsigned", "", []string{"99999", "99999.5", "-1", "0.5"}},
	{"char(3)", "utf8mb4", []string{"", "de", "deu", "deut", "de ", "de    ", " de", "äöü", "äöüß", "12345"}},
	{"varchar(5)", "utf8mb4", []string{
		"", "12345", "123456", "1234 ", "12345  ", "ääääa", "äääääa", "äääää ", "😀😀😀😀😀",
		"😀😀😀😀😀😀", "a\x80b", "\xff", "ab\xc3", "a\xf0\x9f\x98", "\xed\xa0\x80",
	}},
	{"varchar(5)", "utf8mb3", []string{"12345", "äöü", "a😀b", "a\x80b", "😀", "\U0010ffff"}},
	{"varchar(5)", "latin1", []string{"äöü", "€", "aЖb", "a😀b", "a\x80b", "“x”", "\u0081\u008d"}},
	{"varchar(5)", "ascii", []string{"abc", "ä", "a😀"}},
	{"tinytext", "utf8mb4", []string{
		strings.Repeat("a", 255), strings.Repeat("a", 256), strings.Repeat("a", 255) + " ",
		strings.Repeat("ä", 128), "ä",
	}},
	{"varbinary(4)", "", []string{"\x7f\x00\x00\x01", "\x00\xff\x80\x81\x82", "ab"}},
	{"time", "", []string{"12:34:56", "00:00:00", "838:59:59", "839:00:00", "23:59:60", "abc"}},
}

func TestConformModelsTheServer(t *testing.T) {
	server := testserver.MariaDB(t)
	for _, session := range []struct{ mode, charset string }{
		{"STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION", "utf8mb4"},
		{"STRICT_ALL_TABLES", "utf8mb3"},
		{"", "utf8mb4"},
	} {
		db := emptyMariaDB(t, server)
		db.SetMaxOpenConns(1)
		db.MustExec("SET NAMES " + session.charset)
		db.MustExec("SET sql_mode = ?", session.mode)
		how := converter{strict: session.mode != "", mariadb: true, basicPlane: session.charset == "utf8mb3"}
		for i, c := range conformCases {
			table := fmt.Sprintf("t%d", i)
			declared := c.declared
			if c.charset != "" {
				declared += " CHARACTER SET " + c.charset
			}
			db.MustExec("CREATE TABLE " + table + " (v " + declared + ")")
			typ := parseType(c.declared, c.charset)
			typ.nullable = true
			for _, value := range c.values {
				compareWithServer(t, db, table, c.declared+" "+c.charset, &typ, value, how)
			}
		}
	}
}

func compareWithServer(t *testing.T, db *sqlx.DB, table, column string, typ *columnType, value string, how converter) {
	t.Helper()
	store := func(v string, verb string) (string, error) {
		db.MustExec("DELETE FROM " + table)
		if _, err := db.Exec(verb+" INTO "+table+" VALUES (?)", v); err != nil {
			return "", err
		}
		var stored sql.RawBytes
		var text string
		rows, err := db.Query("SELECT v FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&stored); err != nil {
				t.Fatal(err)
			}
			text = string(stored)
		}
		return text, rows.Err()
	}
	for _, verb := range []string{"INSERT", "INSERT IGNORE"} {
		h := how
		h.strict = how.strict && verb == "INSERT"
		text := Text(value)
		reason := typ.conform(&text, h)
		stored, err := store(value, verb)
		what := fmt.Sprintf("%s into %s, %+v", verb, column, how)
		if (err != nil) != (reason != "") {
			t.Errorf("%s: %q: model %q, want as the server says: %v", what, value, reason, err)
			continue
		}
		if err != nil {
			if !IsDataError(err) {
				t.Errorf("%s: %q: error %v, want one of the data", what, value, err)
			}
			continue
		}
		again, err := store(text.V, "INSERT")
		if err != nil || again != stored {
			t.Errorf("%s: %q: model %q is stored as %q, error %v; want %q as the server stores it", what, value, text.V, again,
				err, stored)
		}
		exact := typ.kind != kindFloat && typ.kind != kindDouble
		if exact && text.V != stored {
			t.Errorf("%s: %q: model %q, want %q as the server stores it", what, value, text.V, stored)
		}
	}
}
