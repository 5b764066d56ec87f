package plugins

import (
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// Part is something that may take part in tracking.
type Part struct {
	Owner string `json:"owner"` // a plugin, or the path of a file
	Kind  Kind   `json:"kind"`
	Name  string `json:"name"`

	Detail string `json:"detail"` // the methods by which a column takes part, the class that is in a service's place
}

func (p Part) String() string {
	if p.Detail == "" {
		return p.Name
	}
	return p.Name + " (" + p.Detail + ")"
}

// Kind is a kind of part.
type Kind string

// The kinds. Column, processors, actions and providers are parts of tracking by what they are; of events and
// definitions the name decides.
const (
	Column           Kind = "column"
	Processor        Kind = "processor"
	BotProcessor     Kind = "bot processor"
	Action           Kind = "action"
	LocationProvider Kind = "location provider"
	Event            Kind = "event"
	Definition       Kind = "definition" // of a service in Matomo's container
	Service          Kind = "service"    // of Matomo's that is of another class than its own
	Unseen           Kind = "unseen"     // a class whose parent cannot be looked into
)

// says are the words for each kind, in the order in which they are told.
var says = []struct {
	kind  Kind
	words string
}{
	{Column, "fills columns: "},
	{Processor, "processes requests: "},
	{BotProcessor, "processes requests of bots: "},
	{Action, "tracks actions of its own: "},
	{LocationProvider, "locates visitors: "},
	{Event, "listens to "},
	{Definition, "replaces "},
	{Service, "replaces "},
	{Unseen, "is derived from what is not there to look into: "},
}

// weigh tells what the parts of a plugin do in tracking, and what they do when requests are received, each "" when they
// do nothing that counts.
func (j judging) weigh(owner string, parts []Part) (does, receives string) {
	return told(parts, func(p Part) bool { return j.tracks(owner, p) }), told(parts, receivesRequests)
}

func told(parts []Part, counts func(Part) bool) string {
	var sentences []string
	for _, say := range says {
		var names []string
		for _, p := range parts {
			if p.Kind == say.kind && counts(p) && !slices.Contains(names, p.String()) {
				names = append(names, p.String())
			}
		}
		if len(names) > 0 {
			sentences = append(sentences, say.words+some(names))
		}
	}
	return strings.Join(sentences, "; ")
}

func (j judging) tracks(owner string, p Part) bool {
	switch p.Kind {
	case Event:
		return isTrackingEvent(p.Name)
	case Definition:
		return j.isTrackingService(owner, p.Name)
	}
	return true
}

var (
	// idleEvents begin as the events of tracking do, but fill caches, are about the tracker's JavaScript, or are
	// posted before a request is in the queue.
	idleEvents = []string{
		"Tracker.Cache.getSiteAttributes", "Tracker.setTrackerCacheGeneral", "Tracker.end", "Tracker.getJavascriptCode",
		"Tracker.initRequestSet", "Tracker.newHandler",
	}
	trackingEvents = []string{
		"Tracker.", "Referrer.add", "Request.initAuthenticationObject", "PrivacyManager.shouldIgnoreDnt",
		"Db.getDatabaseConfig",
	}
)

// isTrackingEvent reports whether the event of that name, or events that begin so, decide what is tracked.
func isTrackingEvent(name string) bool {
	return beginsWith(name, trackingEvents) && !slices.Contains(idleEvents, name)
}

// isTrackingService reports whether something of that name in Matomo's container counts when requests are tracked.
// Names of classes count unless it is known that tracking does without them.
func (j judging) isTrackingService(owner, name string) bool {
	class, isMatomo := withoutRoot(name)
	switch {
	case isSettings(name):
		return true
	case !strings.Contains(name, `\`):
		return beginsWith(name, trackingEntries)
	case !isMatomo:
		return strings.HasPrefix(name, `DeviceDetector\`)
	}
	if rest, ok := strings.CutPrefix(class, `Plugins\`); ok {
		plugin, _, _ := strings.Cut(rest, `\`)
		return plugin != owner && j.config.Knows(plugin).Standing != matomo.Quiet
	}
	return !beginsWith(class, idleServices)
}

// trackingEntries begin the names of what Matomo's container holds for tracking beside classes; those of plugin
// MarketingCampaignsReporting have the names of parameters.
var trackingEntries = []string{"Tracker.", "advanced_campaign_reporting.", "geopip2.", "path.geoip2", "path.root"}

// idleServices are classes of Matomo's, or begin the names of some, that have no say in tracking.
var idleServices = []string{
	`API\`, `Archive\`, `AssetManager`, `Cache\`, `CliMulti`, `Console`, `CronArchive`, `Db\Schema`, `Error`,
	`Exception`, `Http`, `Log`, `Mail`, `Menu\`, `Metrics\`, `Notification`, `ProxyHttp`, `Report`, `Scheduler\`, `Session`,
	`Translation\`, `Twig`, `Updat`, `View`, `Widget\`,
}

// isSettings reports whether a service is Matomo's configuration, or one of its settings.
func isSettings(name string) bool {
	class, _ := withoutRoot(name)
	return class == "Config" && name != class || strings.HasPrefix(name, "ini.")
}

var (
	receptionEvents  = []string{"Tracker.initRequestSet", "Tracker.newHandler", "Tracker.Request.getIdSite"}
	receptionClasses = []string{
		`Tracker\Handler`, `Tracker\Response`, `Tracker\RequestSet`, `Tracker\Request`, `Request\AuthenticationToken`,
	}
)

// receivesRequests reports whether a part acts when a request is received, before it is in the queue: it finds requests
// in other forms, puts another handler into the place of the queue's, changes the site of a request, or settings.
func receivesRequests(p Part) bool {
	switch p.Kind {
	case Event:
		return slices.Contains(receptionEvents, p.Name) || p.Name == "Tracker." || strings.Contains(p.Name, "$")
	case Definition, Service:
		class, isMatomo := withoutRoot(p.Name)
		return isSettings(p.Name) || isMatomo && slices.ContainsFunc(receptionClasses, func(c string) bool {
			return class == c || strings.HasPrefix(class, c+`\`)
		})
	}
	return false
}

// withoutRoot is the name of a class of Matomo's without its first part, which is Piwik or, since it is being renamed,
// Matomo.
func withoutRoot(class string) (rest string, isMatomo bool) {
	for _, root := range []string{`Piwik\`, `Matomo\`} {
		if rest, ok := strings.CutPrefix(strings.TrimPrefix(class, `\`), root); ok {
			return rest, true
		}
	}
	return class, false
}

func beginsWith(name string, starts []string) bool {
	return slices.ContainsFunc(starts, func(start string) bool { return strings.HasPrefix(name, start) })
}
