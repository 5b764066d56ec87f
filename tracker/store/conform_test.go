package store

import (
	"database/sql"
	"errors"
	"testing"
)

// newModel opens SQLite tables and makes the model lenient or strict.
func newModel(t *testing.T, strict bool) *Store {
	s := openStore(t, sqliteDB(t))
	s.server.strict = strict
	return s
}

func TestConformRefusesInStrictMode(t *testing.T) {
	s := newModel(t, true)
	for _, c := range []struct {
		column, reason string
		spoil          func(v *Visit)
	}{
		{"user_id", invalidText, func(v *Visit) { v.UserID = Text("\xff") }},
		{"location_country", tooLong, func(v *Visit) { v.Location.Country = Text("abcd") }},
		{"location_latitude", notANumber, func(v *Visit) { v.Location.Latitude = Text("north") }},
		{"location_longitude", outOfRange, func(v *Visit) { v.Location.Longitude = Text("1000") }},
		{"visitor_seconds_since_order", outOfRange, func(v *Visit) { v.SecondsSinceOrder = Int(-1) }},
		{"config_cookie", outOfRange, func(v *Visit) { v.Plugins.Cookie = Int(128) }},
		{"config_device_model", invalidText, func(v *Visit) { v.Device.Model = Text("📱") }},
		{"visitor_localtime", invalidTime, func(v *Visit) { v.LocalTime = Text("noon") }},
		{"visit_last_action_time", invalidTime, func(v *Visit) { v.LastActionTime = lastMoment + 1 }},
		{"location_ip", tooLong, func(v *Visit) { v.LocationIP = "12345678901234567" }},
	} {
		v := fullVisit()
		c.spoil(v)
		var refused *DataError
		if err := s.ConformVisit(v); !errors.As(err, &refused) || *refused != (DataError{"log_visit", c.column, c.reason}) {
			t.Errorf("%s: %v", c.column, err)
		} else if !IsDataError(err) || IsRetryable(err) || err.Error() != "log_visit."+c.column+": "+c.reason {
			t.Errorf("%s: %v", c.column, err)
		}
	}
	if err := s.ConformVisit(fullVisit()); err != nil {
		t.Error(err)
	}
}

func TestConformChangesWithoutStrictMode(t *testing.T) {
	s := newModel(t, false)
	v := fullVisit()
	v.Location = Location{Country: Text("abcd"), Region: Text("x "), City: Text("a\xffb"), Latitude: Text("north"), Longitude: Text("-1000")}
	v.SecondsSinceOrder, v.Plugins.Cookie, v.LocalTime, v.LastActionTime = Int(-1), Int(128), Text("noon"), lastMoment+1
	if err := s.ConformVisit(v); err != nil {
		t.Fatal(err)
	}
	want := Location{Country: Text("abc"), Region: Text("x"), City: Text("a?b"), Latitude: Text("0.000000"), Longitude: Text("-999.999999")}
	if v.Location != want || v.SecondsSinceOrder != Int(0) || v.Plugins.Cookie != Int(127) || v.LocalTime != Text("00:00:00") || v.LastActionTime != 0 {
		t.Errorf("%+v", v)
	}
}

func TestConformEntryAndPerformance(t *testing.T) {
	s := newModel(t, true)
	if err := s.ConformEntry(&ActionEntry{Type: 1, Name: "caf\xc3", Prefix: Int(1)}); err == nil {
		t.Error("a name cut inside a character passes")
	}
	if err := s.ConformEntry(&ActionEntry{Type: 1, Name: "café"}); err != nil {
		t.Error(err)
	}
	p := Performance{Network: Int(16_777_215), Server: NullInt{}}
	if err := s.ConformPerformance(&p); err != nil || p.Network != Int(16_777_215) {
		t.Errorf("%+v, %v", p, err)
	}
	p.OnLoad = Int(16_777_216)
	var refused *DataError
	if err := s.ConformPerformance(&p); !errors.As(err, &refused) || refused.Column != "time_on_load" {
		t.Errorf("%v", err)
	}
}

func TestColumnsThatCannotBeNull(t *testing.T) {
	parse := func(declared string, preset sql.NullString) columnType {
		typ := parseType(declared, "utf8mb4")
		typ.setPreset(preset)
		return typ
	}
	none := sql.NullString{}
	for _, c := range []struct {
		typ           columnType
		strict        string // the reason
		value, number any    // text and number without strict mode
	}{
		{parse("varchar(10)", none), noDefault, "", int64(0)},
		{parse("int(11)", none), noDefault, "0", int64(0)},
		{parse("double", none), noDefault, "0", int64(0)},
		{parse("decimal(5,2)", none), noDefault, "0.00", int64(0)},
		{parse("time", none), noDefault, "00:00:00", int64(0)},
		{parse("int(11)", sql.NullString{String: "7", Valid: true}), "", "7", int64(7)},
		{parse("varchar(10)", sql.NullString{String: "'it''s'", Valid: true}), "", "it's", int64(0)},
		{parse("varchar(10)", sql.NullString{String: "NULL", Valid: true}), noDefault, "", int64(0)},
	} {
		var text NullText
		if reason := c.typ.conform(&text, converter{strict: true}); reason != c.strict {
			t.Errorf("%+v: %q", c.typ, reason)
		}
		var number NullInt
		var id ActionID
		text = NullText{}
		c.typ.conform(&text, converter{})
		c.typ.conform(&number, converter{})
		c.typ.conform(&id, converter{})
		if text != Text(c.value.(string)) || number != Int(c.number.(int64)) || id != (ActionID{Valid: true, ID: c.number.(int64)}) {
			t.Errorf("%+v: %q, %v, %v", c.typ, text.V, number, id)
		}
	}
}

// A visit that was read lacks the columns that are never read: they are not missing in the table.
func TestUnreadColumnsOfExistingVisitsMayBeEmpty(t *testing.T) {
	s := newModel(t, true)
	for i := range s.visits.columns {
		if c := &s.visits.columns[i]; c.name == "config_os" {
			c.typ.nullable = false
		}
	}
	v := fullVisit()
	if err := s.ConformVisit(v); err == nil {
		t.Error("new visit passes")
	}
	v.ID = 1
	if err := s.ConformVisit(v); err != nil {
		t.Error(err)
	}
}

func TestMySQLGivesUpAtTheFirstInvalidByte(t *testing.T) {
	typ := parseType("varchar(10)", "utf8mb4")
	if got, _ := typ.conformText("ab\xffc", converter{mariadb: false}); got != "ab" {
		t.Errorf("%q", got)
	}
}

func FuzzConformedValuesStay(f *testing.F) {
	types := []columnType{
		parseType("decimal(9,6)", ""), parseType("double", ""), parseType("float", ""), parseType("int(11)", ""), parseType("char(3)", "utf8mb4"),
		parseType("varchar(5)", "utf8mb3"), parseType("tinytext", "latin1"), parseType("float(7,3) unsigned", ""), parseType("time", ""),
	}
	for _, seed := range []string{"", "12.5", "-1e3", "ä€😀", "\xed\xa0\x80x", "  ", "9e99999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, typ := range types {
			once, _ := typ.conformText(s, converter{mariadb: true})
			twice, reason := typ.conformText(once, converter{mariadb: true, strict: true})
			if twice != once || reason != "" {
				t.Errorf("%+v: %q becomes %q, then %q (%s)", typ, s, once, twice, reason)
			}
		}
	})
}
