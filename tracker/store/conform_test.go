package store

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		want := DataError{"log_visit", c.column, c.reason}
		err := s.ConformVisit(v)
		if !errors.As(err, &refused) || *refused != want {
			t.Errorf("%s: error %v, want %v", c.column, err, &want)
			continue
		}
		if !IsDataError(err) || IsRetryable(err) {
			t.Errorf("%s: of the data %v, retryable %v; want true and false", c.column, IsDataError(err), IsRetryable(err))
		}
		if want := "log_visit." + c.column + ": " + c.reason; err.Error() != want {
			t.Errorf("%s: %q, want %q", c.column, err, want)
		}
	}
	if err := s.ConformVisit(fullVisit()); err != nil {
		t.Errorf("error %v of a visit that fits, want none", err)
	}
}

func TestConformChangesWithoutStrictMode(t *testing.T) {
	s := newModel(t, false)
	v := fullVisit()
	v.Location = Location{
		Country: Text("abcd"), Region: Text("x "), City: Text("a\xffb"), Latitude: Text("north"),
		Longitude: Text("-1000"),
	}
	v.SecondsSinceOrder, v.Plugins.Cookie, v.LocalTime, v.LastActionTime = Int(-1), Int(128), Text("noon"), lastMoment+1
	want := *v
	if err := s.ConformVisit(v); err != nil {
		t.Fatal(err)
	}
	want.Location = Location{
		Country: Text("abc"), Region: Text("x"), City: Text("a?b"), Latitude: Text("0.000000"),
		Longitude: Text("-999.999999"),
	}
	want.SecondsSinceOrder, want.Plugins.Cookie = Int(0), Int(127)
	want.LocalTime, want.LastActionTime = Text("00:00:00"), 0
	if diff := cmp.Diff(&want, v); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConformEntryAndPerformance(t *testing.T) {
	s := newModel(t, true)
	if err := s.ConformEntry(&ActionEntry{Type: 1, Name: "caf\xc3", Prefix: Int(1)}); err == nil {
		t.Error("no error of a name cut inside a character, want one")
	}
	if err := s.ConformEntry(&ActionEntry{Type: 1, Name: "café"}); err != nil {
		t.Errorf("error %v of a name that fits, want none", err)
	}
	p := Performance{Network: Int(16_777_215), Server: NullInt{}}
	if err := s.ConformPerformance(&p); err != nil || p.Network != Int(16_777_215) {
		t.Errorf("time_network %v, error %v; want 16777215 and none", p.Network, err)
	}
	p.OnLoad = Int(16_777_216)
	var refused *DataError
	if err := s.ConformPerformance(&p); !errors.As(err, &refused) || refused.Column != "time_on_load" {
		t.Errorf("error %v, want one of time_on_load", err)
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
			t.Errorf("%+v: reason %q, want %q", c.typ, reason, c.strict)
		}
		var number NullInt
		var id ActionID
		text = NullText{}
		c.typ.conform(&text, converter{})
		c.typ.conform(&number, converter{})
		c.typ.conform(&id, converter{})
		if text != Text(c.value.(string)) || number != Int(c.number.(int64)) ||
			id != (ActionID{Valid: true, ID: c.number.(int64)}) {
			t.Errorf("%+v: %q, %v, %v; want %q and twice %v", c.typ, text.V, number, id, c.value, c.number)
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
		t.Error("no error of a new visit, want one")
	}
	v.ID = 1
	if err := s.ConformVisit(v); err != nil {
		t.Errorf("error %v of a visit that was read, want none", err)
	}
}

func TestMySQLGivesUpAtTheFirstInvalidByte(t *testing.T) {
	typ := parseType("varchar(10)", "utf8mb4")
	if got, _ := typ.conformText("ab\xffc", converter{mariadb: false}); got != "ab" {
		t.Errorf("%q, want ab", got)
	}
}

func FuzzConformedValuesStay(f *testing.F) {
	types := []columnType{
		parseType("decimal(9,6)", ""), parseType("double", ""), parseType("float", ""), parseType("int(11)", ""),
		parseType("char(3)", "utf8mb4"),
		parseType("varchar(5)", "utf8mb3"), parseType("tinytext", "latin1"), parseType("float(7,3) unsigned", ""),
		parseType("time", ""),
	}
	for _, seed := range []string{"", "12.5", "-1e3", "ä€😀", "\xed\xa0\x80x", "  ", "9e99999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, typ := range types {
			once, _ := typ.conformText(s, converter{mariadb: true})
			twice, reason := typ.conformText(once, converter{mariadb: true, strict: true})
			if twice != once || reason != "" {
				t.Errorf("%+v: %q becomes %q, then %q (%s), want the same again", typ, s, once, twice, reason)
			}
		}
	})
}
