package php

import (
	"regexp"
	"strings"
	"sync"
)

// timeFormat is one form of the grammar of PHP's date and time formats. Where several fit, the one that takes most text
// counts, of equally long ones the first.
type timeFormat struct {
	re    *regexp.Regexp
	apply func(t *timeParts, group func(name string) string) bool
}

// Building blocks, named as in PHP's documentation of date and time formats. Letters match in any case.
var timeBlocks = strings.NewReplacer(
	"<hour24>", `(?P<h>2[0-4]|[01]?[0-9])`,
	"<hour24lz>", `(?P<h>[01][0-9]|2[0-4])`,
	"<hour12>", `(?P<h>1[0-2]|0?[1-9])`,
	"<minute>", `(?P<i>[0-5]?[0-9])`,
	"<minutelz>", `(?P<i>[0-5][0-9])`,
	"<second>", `(?P<s>60|[0-5]?[0-9])`,
	"<secondlz>", `(?P<s>60|[0-5][0-9])`,
	"<frac>", `(?:\.[0-9]+)`,
	"<meridian>", `[ \t]*(?P<ap>[ap])\.?m\.?(?:[\x00\t ]|$)`,
	"<zone>",
	`[ \t]*(?P<z>(?:GMT)?[+-](?:(?:2[0-4]|[01][0-9])(?:[0-5][0-9]){2}|(?:2[0-4]|[01]?[0-9])(?::?[0-5]?[0-9])?)|\(?[a-z]{1,6}\)?|(?-i:[A-Z][a-z]+(?:[_/-][A-Za-z]+)+))`,
	"<correction>", `(?P<z>(?:GMT)?[+-](?:(?:2[0-4]|[01][0-9])(?:[0-5][0-9]){2}|(?:2[0-4]|[01]?[0-9])(?::?[0-5]?[0-9])?))`,
	"<year>", `(?P<y>[0-9]{1,4})`,
	"<year4>", `(?P<y>[0-9]{4})`,
	"<year2>", `(?P<y>[0-9]{2})`,
	"<month>", `(?P<m>1[0-2]|0?[0-9])`,
	"<monthlz>", `(?P<m>0[0-9]|1[0-2])`,
	"<day>", `(?P<d>3[01]|[0-2]?[0-9])(?:st|nd|rd|th)?`,
	"<daylz>", `(?P<d>[0-2][0-9]|3[01])`,
	"<monthname>",
	`(?P<m>january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)`,
	"<monthtext>",
	`(?P<m>january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|(?-i:X?I{1,3}|I[VX]|VI{0,3}|XI?))`,
	"<monthabbr>", `(?P<m>jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)`,
	"<weekday>", `(?P<w>(?:sun|mon|tues|wednes|thurs|fri|satur)days?|sun|mon|tues?|wed|thur?s?|fri|sat)`,
	"<unit>",
	`(?P<u>(?:msec|millisecond|µs|microsecond|usec|sec|second|min|minute|hour|day|fortnight|forthnight|month|year)s?|weeks|ms|(?:sun|mon|tues|wednes|thurs|fri|satur)days?|sun|mon|tues?|wed|thur?s?|fri|sat)`,
	"<ordinal>",
	`(?P<n>first|second|third|fourth|fifth|sixth|seventh|eighth?|ninth|tenth|eleventh|twelfth|next|last|previous|this)`,
)

// timeFormats is compiled when a text is read for the first time that is not in the usual form.
var timeFormats = sync.OnceValue(func() []timeFormat {
	var formats []timeFormat
	for _, f := range []struct {
		pattern string
		apply   func(t *timeParts, group func(name string) string) bool
	}{
		{`yesterday`, dayKeyword(-1)},
		{`now`, func(*timeParts, func(string) string) bool { return true }},
		{`noon`, noon},
		{`midnight|today`, midnight},
		{`tomorrow`, dayKeyword(1)},
		{`@(?P<t>-?[0-9]+)(?:\.[0-9]{0,6})?`, unixTime},
		{`(?P<edge>first|last) day of`, edgeOfMonth},
		{`<hour12><meridian>`, clock},
		{`<hour12>[:.]<minutelz><meridian>`, clock},
		{`<hour12>[:.]<minute>[:.]<secondlz><meridian>`, clock},
		{`t<hour24>`, clock},
		{`t?<hour24>[:.]<minute>`, clock},
		{`t?<hour24>[:.]<minute>[:.]<second><frac>?`, clock},
		{`t<hour24>[:.]<minute>[:.]<secondlz><zone>`, clock},
		{`t?<hour24lz><minutelz>`, shortClock},
		{`t?<hour24lz><minutelz><secondlz>`, clock},
		{`<month>/<day>`, date},
		{`<month>/<day>/<year>`, date},
		{`\+?<year4>-<monthlz>-<daylz>`, date},
		{`<year4>/<monthlz>/<daylz>/?`, date},
		{`<year2>-<monthlz>-<daylz>`, date},
		{`<year4>-<month>`, date},
		{`<year>-<month>-<day>`, date},
		{`<day>[.\t-]<month>[.-]<year4>`, date},
		{`<day>[.\t]<month>\.<year2>`, date},
		{`<day>[ \t.-]*<monthtext>[ \t.-]*<year>`, date},
		{`<monthtext>[ .\t-]*<year4>`, date},
		{`<year4>[ .\t-]*<monthtext>`, date},
		{`<monthtext>[ .\t-]*<day>[,.stndrh\t ]+<year>`, date},
		{`<monthtext>[ .\t-]*<day>(?:[,.stndrh\t ]+|$)`, date},
		{`<day>[ .\t-]*<monthtext>`, date},
		{`<year4><monthlz><daylz>`, date},
		{`<year4>-<monthlz>-<daylz>T<hour24lz>:<minutelz>:<secondlz><frac><correction>?`, dateAndClock},
		{`<year4>-<month>-<day>T<hour24>:<minute>:<second>`, dateAndClock},
		{`<year4><monthlz><daylz>T<hour24>:<minutelz>:<secondlz>`, dateAndClock},
		{`<year4><monthlz><daylz>t<hour24><minutelz><secondlz>`, dateAndClock},
		{`<year4>:<monthlz>:<daylz> <hour24lz>:<minutelz>:<secondlz>`, dateAndClock},
		{`<day>/(?P<m>[a-z]{3})/<year4>:<hour24lz>:<minutelz>:<secondlz>[ \t]+<correction>`, dateAndClock},
		{`<year4>`, date},
		{`<monthabbr>-<daylz>-<year>`, date},
		{`<year>-<monthabbr>-<daylz>`, date},
		{`<year4>[.-]?(?P<d>00[1-9]|0[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])`, dayOfYear},
		{`<year4>-?W(?P<week>0[1-9]|[1-4][0-9]|5[0-3])(?:-?(?P<d>[0-7]))?`, isoWeek},
		{`(?P<edge>back|front) of <hour24>(?:<meridian>)?`, aroundHour},
		{`ago`, ago},
		{`<weekday>`, weekday},
		{`<ordinal>[ \t]+<unit>`, ordinalUnit},
		{`(?P<n>next|last|previous|this)[ \t]+week`, relativeWeek},
		{`<monthname>`, date},
		{`<zone>`, zoneOnly},
		{`(?P<n>[+-]*[ \t]*[0-9]{1,13})[ \t]*(?:<unit>|(?P<week>week))`, countedUnit},
	} {
		re := regexp.MustCompile(`^(?i:` + timeBlocks.Replace(f.pattern) + `)`)
		re.Longest()
		formats = append(formats, timeFormat{re, f.apply})
	}
	return formats
})
