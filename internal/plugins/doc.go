// Package plugins judges the active plugins of an installation: what each of them does in tracking, whether that is a
// part of this program, and so whether rows can be written here or only by Matomo's own PHP.
//
// Plugins that are known by name are told first (matomo.Config.Knows). Of all others Matomo itself is asked, where PHP
// is there: a short script boots it as the queue's worker does and lists what takes part (inspect.php). Its answer is
// kept, with a digest of all that it depends on, so that further runs do not start PHP. Without PHP the files of a
// plugin are read, which sees what is written in them, but not what it comes to: reading errs on the side of "takes
// part". Either way finds parts, and parts are weighed in one place.
package plugins
