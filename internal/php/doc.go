// Package php reproduces those semantics of PHP 8.2 that values in Matomo's tables depend on: how text turns into
// numbers and back, what counts as empty, HTML entities, parse_url, JSON with PHP's types and key order, serialized
// values, dates, IP addresses, the order of versions and regular expressions that users wrote for PCRE.
//
// It also holds the few rules of Matomo itself that every part of the tracker shares: the sanitising of input
// (spec §A.5), the readers of request parameters (spec §A.4), the parsing of query strings (spec §6.2) and of IP ranges
// (spec §A.8).
//
// Strings are bytes, as in PHP; nothing here assumes valid UTF-8. No function panics on bad input and none keeps state.
package php
