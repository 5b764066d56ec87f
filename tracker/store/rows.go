package store

import (
	"database/sql"
	"encoding/hex"
)

// NullInt is an integer column that may be NULL.
type NullInt = sql.Null[int64]

// NullText is a text column that may be NULL.
type NullText = sql.Null[string]

// Int returns a NullInt that holds v.
func Int(v int64) NullInt { return NullInt{V: v, Valid: true} }

// Text returns a NullText that holds s.
func Text(s string) NullText { return NullText{V: s, Valid: true} }

// BinaryID is a BINARY(8) column: an idvisitor or a config_id.
type BinaryID [8]byte

// String is the id as 16 hex digits.
func (id BinaryID) String() string { return hex.EncodeToString(id[:]) }

// ActionEntry is one row of the dictionary log_action (spec §6.6). Within a batch there is one ActionEntry
// per (type, name), shared by all rows that refer to it; ID is 0 until the row is known to exist.
type ActionEntry struct {
	ID     int64
	Type   int64
	Name   string
	Prefix NullInt // url_prefix
}

// ActionID is the value of an idaction_* column: NULL (the zero ActionID), a number read from the database (0: none)
// or an entry of the dictionary whose number is known when the batch is flushed.
type ActionID struct {
	Valid bool
	ID    int64
	Entry *ActionEntry
}

// NoAction is an idaction_* column with the number 0.
var NoAction = ActionID{Valid: true}

// ActionOf refers to an entry; a nil entry gives NoAction.
func ActionOf(e *ActionEntry) ActionID { return ActionID{Valid: true, Entry: e} }

// Number is the number to write: the entry's when there is one.
func (a ActionID) Number() int64 {
	if a.Entry != nil {
		return a.Entry.ID
	}
	return a.ID
}

// IsZero reports whether a is NULL or the number 0. An entry counts as non-zero before its number is known.
func (a ActionID) IsZero() bool { return a.Entry == nil && a.ID == 0 }

// Same reports whether both stand for the same action (or both for none).
func (a ActionID) Same(b ActionID) bool {
	if a.Entry != nil && a.Entry == b.Entry {
		return true
	}
	if a.Entry != nil && a.Entry.ID == 0 || b.Entry != nil && b.Entry.ID == 0 {
		return false
	}
	return a.Number() == b.Number()
}

// LinkID is the value of a column that refers to log_link_visit_action: NULL (the zero LinkID), a number, or a row of
// this batch whose number is known after it was inserted.
type LinkID struct {
	Valid bool
	ID    int64
	Row   *LinkAction
}

// LinkOf refers to a row of this batch.
func LinkOf(row *LinkAction) LinkID { return LinkID{Valid: true, Row: row} }

// Number is the number to write.
func (l LinkID) Number() int64 {
	if l.Row != nil {
		return l.Row.ID
	}
	return l.ID
}

// CustomVar is one name/value pair of plugin CustomVariables (custom_var_k<N>, custom_var_v<N>).
type CustomVar struct{ Name, Value NullText }

// Visit is a row of log_visit (spec §5.4). Moments are unix seconds, written as UTC DATETIMEs. Fields of
// plugins that are not active and columns that the table lacks are neither read nor written.
type Visit struct {
	ID                int64 // idvisit, 0 until inserted
	SiteID            int64
	Visitor           BinaryID
	ConfigID          BinaryID
	LocationIP        string // 4 or 16 bytes
	FirstActionTime   int64
	LastActionTime    int64
	TotalTime         int64 // seconds
	LocalTime         NullText
	Profilable        NullInt
	UserID            NullText
	GoalBuyer         NullInt
	GoalConverted     NullInt
	Returning         NullInt
	CountVisits       int64
	SecondsSinceFirst NullInt
	SecondsSinceOrder NullInt
	SecondsSinceLast  NullInt

	EntryName, EntryURL, ExitName, ExitURL ActionID
	TotalActions, TotalInteractions        NullInt
	TotalSearches, TotalEvents             NullInt

	Referer  Referer
	Campaign []NullText // by matomo.CampaignField, of plugin MarketingCampaignsReporting; empty: all are NULL
	Agent    NullText   // ai_agent_name

	BrowserLang NullText
	Resolution  NullText

	Device  Device
	Plugins BrowserPlugins

	Location Location
	Provider NullText // location_provider, of plugin Provider

	LastLinkAction   LinkID      // last_idlink_va
	CustomDimensions []NullText  // in the order of Schema.VisitDimensions
	CustomVars       []CustomVar // custom variable N at N-1
}

// Referer holds the referer_* columns (spec §7). Conversions have all but URL.
type Referer struct {
	Type               NullInt
	Name, Keyword, URL NullText
}

// Device holds the columns of plugin DevicesDetection (spec §10). Conversions have browser name, client type, brand,
// model and type.
type Device struct {
	BrowserEngine, BrowserName, BrowserVersion NullText
	ClientType                                 NullInt
	Brand, Model                               NullText
	Type                                       NullInt
	OS, OSVersion                              NullText
}

// BrowserPlugins holds the columns of plugin DevicePlugins.
type BrowserPlugins struct {
	Cookie, Flash, Java, PDF, Quicktime, Realplayer, Silverlight, WindowsMedia NullInt
}

// Location holds the location_* columns (spec §9); latitude and longitude as decimal text.
type Location struct {
	Country, Region, City, Latitude, Longitude NullText
}

// LinkAction is a row of log_link_visit_action (spec §5.9).
type LinkAction struct {
	ID                                                           int64 // idlink_va, 0 until inserted
	Visit                                                        *Visit
	SiteID                                                       int64
	Visitor                                                      BinaryID // the visit's at the time of the action
	ServerTime                                                   int64
	URLRef, NameRef                                              ActionID
	Name, URL                                                    ActionID
	PageviewID                                                   NullText // idpageview
	PageviewPosition                                             NullInt
	SearchCategory                                               NullText
	SearchCount                                                  NullInt
	TimeSpentRef                                                 NullInt // seconds
	TimeSpent                                                    NullInt // seconds, set by a later request (spec §5.6)
	ProductCategories                                            [5]ActionID
	ProductName                                                  ActionID
	ProductSKU                                                   ActionID
	ProductPrice                                                 NullText // a number as PHP prints it
	EventCategory                                                ActionID
	EventAction                                                  ActionID
	ContentInteraction, ContentName, ContentPiece, ContentTarget ActionID
	CustomFloat                                                  NullText // a number as PHP prints it
	Bandwidth                                                    NullInt  // bytes, of plugin Bandwidth
	Performance                                                  Performance
	CustomDimensions                                             []NullText // in the order of Schema.ActionDimensions
	CustomVars                                                   []CustomVar
}

// Performance holds the columns of plugin PagePerformance, in milliseconds (spec §5.8).
type Performance struct {
	Network, Server, Transfer, DOMProcessing, DOMCompletion, OnLoad NullInt
}

// Conversion is a row of log_conversion (spec §8.4).
type Conversion struct {
	Visit                                                         *Visit
	SiteID                                                        int64
	Visitor                                                       BinaryID
	ServerTime                                                    int64
	URLAction                                                     ActionID // idaction_url
	Link                                                          LinkID   // idlink_va
	GoalID                                                        int64    // 0 order, -1 cart
	Buster                                                        int64
	OrderID                                                       NullText
	Items                                                         NullInt
	URL                                                           string
	Revenue                                                       NullText // numbers as PHP prints them
	RevenueShipping, RevenueSubtotal, RevenueTax, RevenueDiscount NullText
	PageviewsBefore                                               NullInt
	Returning                                                     NullInt
	SecondsSinceFirst                                             NullInt
	SecondsSinceOrder                                             NullInt
	CountVisits                                                   int64
	Referer                                                       Referer    // without URL
	Campaign                                                      []NullText // as in Visit
	// without engine, version and operating system
	Device           Device
	Location         Location
	CustomDimensions []NullText // in the order of Schema.ConversionDimensions
	CustomVars       []CustomVar
}

// Item is a row of log_conversion_item (spec §8.5.2).
type Item struct {
	Visit      *Visit
	SiteID     int64
	Visitor    BinaryID
	ServerTime int64
	OrderID    string // "0" for a cart
	SKU, Name  ActionID
	Categories [5]ActionID
	Price      string
	Quantity   int64
	Deleted    bool
}

// Failure is a row of tracking_failure (spec §12.1).
type Failure struct {
	SiteID     int64
	FailureID  int64
	Occurred   int64 // unix seconds
	RequestURL string
}
