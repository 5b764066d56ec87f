package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/rows"
)

// difference is what a comparison of a part has found.
type difference struct {
	outcome int // request of the part that only one side has refused, -1 for rows
	rows.Difference
}

// comparison is one look at a part: both sides have tracked it, and taken it back.
type comparison struct {
	differences []difference
	matomo, own result
	notes       []string
}

func (c *comparison) equal() bool { return len(c.differences) == 0 }

// pair are the two sides.
type pair struct {
	schema *schema
	matomo side
	own    side
	// drawn are options that a side had to draw at random, salts of days and of user ids. None stays in the
	// database, so both sides are given them anew: they remember them.
	drawn map[string]rows.Row
	// randomPrint reports whether a site's fingerprints are random; nil: they are not.
	randomPrint func(ctx context.Context, site int64) bool
	// between is called while Matomo's rows are there, before they are taken back; nil for nothing.
	between func(ctx context.Context)
}

// compare tracks a part on both sides. Both begin at the same moment: what others commit meanwhile neither sees.
// Matomo's rows are taken back before ours are written, as they would wait for each other.
func (p *pair) compare(ctx context.Context, part part) (c *comparison, err error) {
	started := time.Now()
	if err := p.own.begin(ctx); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	open := true
	end := func() error {
		if !open {
			return nil
		}
		open = false
		return p.own.end(context.WithoutCancel(ctx))
	}
	defer func() { err = errors.Join(err, end()) }()
	if err := p.matomo.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("on Matomo's side: begin: %w", err), p.matomo.end(context.WithoutCancel(ctx)))
	}
	c = new(comparison)
	if err = p.give(ctx, p.matomo); err == nil {
		c.matomo, err = p.matomoTracks(ctx, part)
	}
	if ended := p.matomo.end(context.WithoutCancel(ctx)); err != nil || ended != nil {
		return nil, errors.Join(err, ended)
	}
	p.keepDrawn(c.matomo.rows.Tables["option"])
	if err := p.give(ctx, p.own); err != nil {
		return nil, err
	}
	known, err := p.ownTracks(ctx, part, c)
	if err != nil {
		return nil, err
	}
	p.keepDrawn(c.own.rows.Tables["option"]) // for requests of which PHP needs no fingerprint
	c.judge(ctx, p, part, known, started)
	return c, nil
}

// keepDrawn remembers salts among the options that were written.
func (p *pair) keepDrawn(options []rows.Row) {
	for _, row := range options {
		if name := fmt.Sprint(row["option_name"]); isSalt(name) {
			if p.drawn == nil {
				p.drawn = make(map[string]rows.Row)
			}
			p.drawn[name] = row
		}
	}
}

func isSalt(option string) bool {
	return strings.HasPrefix(option, "fingerprint_salt_") || option == "useridsalt"
}

// give puts what was drawn into a side's transaction, where the database has not got it by now.
func (p *pair) give(ctx context.Context, to side) error {
	for name, row := range p.drawn {
		err := to.insert(ctx, "INSERT IGNORE INTO "+quote(p.schema.prefix+"option")+
			" (option_name, option_value, autoload) VALUES (?, ?, ?)", name, fmt.Sprint(row["option_value"]),
			fmt.Sprint(row["autoload"]))
		if err != nil {
			return fmt.Errorf("option %s: %w", name, err)
		}
	}
	return nil
}

func (p *pair) matomoTracks(ctx context.Context, part part) (r result, err error) {
	above, err := p.schema.readMaxima(ctx, p.matomo.ask)
	if err != nil {
		return r, fmt.Errorf("on Matomo's side: %w", err)
	}
	if r.outcomes, err = p.matomo.track(ctx, part); err != nil {
		return r, fmt.Errorf("on Matomo's side: %w", err)
	}
	if r.written, err = p.matomo.wrote(ctx); err != nil {
		return r, fmt.Errorf("on Matomo's side: %w", err)
	}
	reader := reader{schema: p.schema, ask: p.matomo.ask, above: above}
	if r.rows, r.notes, err = reader.read(ctx, p.all(r.written)); err != nil {
		return r, fmt.Errorf("on Matomo's side: %w", err)
	}
	if p.between != nil {
		p.between(ctx)
	}
	return r, nil
}

// ownTracks also reads, for Matomo's side, the rows that only ours has changed: they are what they were. It returns the
// visitors that were known before.
func (p *pair) ownTracks(ctx context.Context, part part, c *comparison) (map[string]bool, error) {
	above, err := p.schema.readMaxima(ctx, p.own.ask)
	if err != nil {
		return nil, err
	}
	r := &c.own
	if r.outcomes, err = p.own.track(ctx, part); err != nil {
		return nil, err
	}
	if r.written, err = p.own.wrote(ctx); err != nil {
		return nil, err
	}
	reader := reader{schema: p.schema, ask: p.own.ask, above: above}
	if r.rows, r.notes, err = reader.read(ctx, p.all(r.written.union(c.matomo.written))); err != nil {
		return nil, err
	}
	known, err := p.knownVisitors(ctx, part, above["log_visit"], c)
	if err != nil {
		return nil, err
	}
	if own, ok := p.own.(interface{ back() error }); ok {
		if err := own.back(); err != nil {
			return nil, err
		}
	}
	reader.base = true
	before, _, err := reader.read(ctx, r.written.without(c.matomo.written))
	if err != nil {
		return nil, err
	}
	for name, list := range before.Tables {
		c.matomo.rows.Tables[name] = append(c.matomo.rows.Tables[name], list...)
	}
	c.matomo.rows.Names = append(c.matomo.rows.Names, before.Names...)
	return known, nil
}

// looked are tables that are read whatever the statements seem to say.
var looked = []string{
	"log_visit", "log_link_visit_action", "log_action", "log_conversion", "log_conversion_item", "log_bot_request",
	"log_page_view_time", "tracking_failure",
}

// all is a footprint with the tables of tracking in it.
func (p *pair) all(f footprint) footprint {
	f = f.union(nil)
	for _, name := range looked {
		if p.schema.tables[name] != nil {
			f.table(p.schema.prefix + name)
		}
	}
	return f
}

// knownVisitors are those visitor ids of new visits that were in the database before.
func (p *pair) knownVisitors(ctx context.Context, part part, above uint64, c *comparison) (map[string]bool, error) {
	known := make(map[string]bool)
	var asked []string
	for _, set := range []rows.Set{c.matomo.rows, c.own.rows} {
		for _, row := range set.Tables["log_visit"] {
			id, isText := row["idvisitor"].(string)
			if isText && !known[id] {
				known[id] = true
				asked = append(asked, fmt.Sprintf("(idsite = %v AND idvisitor = x'%s')", row["idsite"], id))
			}
		}
	}
	clear(known)
	for conditions := range slices.Chunk(asked, maxKeys) {
		query := fmt.Sprintf("SELECT DISTINCT LOWER(HEX(idvisitor)) FROM %s WHERE idvisit <= %d AND (%s)",
			quote(p.schema.prefix+"log_visit"), above, strings.Join(conditions, " OR "))
		found, err := p.own.ask(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("visitors: %w", err)
		}
		for _, row := range found {
			known[*row[0]] = true
		}
	}
	return known, nil
}

// judge compares what both have made.
func (c *comparison) judge(ctx context.Context, p *pair, part part, known map[string]bool, started time.Time) {
	for i := range c.matomo.outcomes {
		m, o := c.matomo.outcomes[i], c.own.outcomes[i]
		if m.refused != o.refused {
			c.differences = append(c.differences, difference{i, rows.Difference{Want: m.String(), Got: o.String()}})
		}
	}
	drop(c.matomo.rows.Tables, c.own.rows.Tables)
	rule := rows.Rule{Counters: make(map[string]string), Ignore: remembered}
	for name, t := range p.schema.tables {
		if t.counter != "" && name != "log_visit" && name != "log_link_visit_action" {
			rule.Counters[name] = t.counter
		}
	}
	delete(rule.Counters, "log_action") // two processes may add names in another order
	e := &equals{given: part.given(), known: known, from: started.Add(-clockSlack), to: time.Now().Add(clockSlack)}
	if p.randomPrint != nil {
		e.randomPrint = func(site int64) bool { return p.randomPrint(ctx, site) }
	}
	rule.Alike = e.alike
	for _, d := range rule.Compare(c.matomo.rows, c.own.rows) {
		c.differences = append(c.differences, difference{-1, d})
	}
	notes := make(map[string]bool)
	for _, note := range slices.Concat(c.matomo.notes, c.own.notes) {
		notes[note] = true
	}
	c.notes = slices.Sorted(maps.Keys(notes))
}

// remembered are columns that a process writes once in a while only: it remembers that it has, although it was rolled
// back.
var remembered = map[string]bool{"user_token_auth.last_used": true}

// drop takes out options that are none of tracking's: definitions that Matomo keeps, salts, which fingerprints show,
// and what this program does.
func drop(sides ...rows.Tables) {
	for _, tables := range sides {
		if list, ok := tables["option"]; ok {
			tables["option"] = slices.DeleteFunc(list, func(row rows.Row) bool {
				return unlisted(fmt.Sprint(row["option_name"]))
			})
		}
	}
}

func unlisted(option string) bool {
	switch option {
	case "SearchEngineDefinitions", "SocialDefinitions", "AIAssistantDefinitions", "lastTrackerCronRun":
		return true
	}
	return isSalt(option) || strings.HasPrefix(option, "QueuedTracking.")
}
