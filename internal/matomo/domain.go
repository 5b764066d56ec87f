package matomo

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// configFile is the usual name of the configuration file; installations that share a folder have HOST.config.ini.php.
const configFile = "config.ini.php"

var (
	looksLikeURL = regexp.MustCompile(`^([[:alpha:]][[:alnum:]+.-]*:)?//.`)
	fileName     = regexp.MustCompile(`\A[a-zA-Z0-9][a-zA-Z_0-9.-]*\z`) // Matomo's Filesystem::isValidFilename
)

// Host is the name of the host in the value of --matomo-domain, which may also be a URL. The error tells that it cannot
// be one: Matomo looks for no file then, this program refuses.
func Host(domain string) (string, error) {
	url := domain
	if !looksLikeURL.MatchString(url) {
		url = "http://" + url
	}
	parsed, ok := php.ParseURL(url)
	if !ok || !fileName.MatchString(parsed.Host) {
		return "", fmt.Errorf("%q is no host name such as stats.example.org", domain)
	}
	return parsed.Host, nil
}

// localFile is the path of the configuration file of a host, relative to the Matomo directory: a file of its own in
// config or misc/user, if there is one, else that of all hosts (Matomo's Config::getLocalConfigPath).
func localFile(dir, host string) string {
	if host != "" {
		for _, file := range []string{
			filepath.Join("config", host+"."+configFile),
			filepath.Join("misc", "user", host, configFile),
		} {
			if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
				return file
			}
		}
	}
	return filepath.Join("config", configFile)
}

// HasConfig reports whether a directory holds a configuration file of Matomo's, of all hosts or of one.
func HasConfig(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "config", configFile))
	return err == nil || len(Hosts(dir)) > 0
}

// Hosts are the hosts that have configuration files of their own in a Matomo directory, sorted.
func Hosts(dir string) []string {
	var hosts []string
	files, _ := filepath.Glob(filepath.Join(globEscape(dir), "config", "*."+configFile))
	for _, file := range files {
		if host := strings.TrimSuffix(filepath.Base(file), "."+configFile); host != "common" {
			hosts = append(hosts, host)
		}
	}
	files, _ = filepath.Glob(filepath.Join(globEscape(dir), "misc", "user", "*", configFile))
	for _, file := range files {
		hosts = append(hosts, filepath.Base(filepath.Dir(file)))
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// globEscape keeps a directory's name from being taken for a pattern.
func globEscape(dir string) string { return globSpecial.Replace(dir) }

var globSpecial = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`)

// missing says what there is in place of the configuration file that is not there.
func (s Source) missing(dir string) error {
	if hosts := Hosts(dir); len(hosts) > 0 {
		return fmt.Errorf("%s: no config/%s there, but files of single hosts: say which one with --matomo-domain or "+
			"MATOMO_DOMAIN: %s",
			dir, configFile, strings.Join(hosts, ", "))
	}
	if words := bootstrapWords(dir); words != "" {
		return fmt.Errorf("%s: no config/%s there; bootstrap.php sets %s, which is not followed here: make config/%s a "+
			"link to the file that counts",
			dir, configFile, words, configFile)
	}
	return fmt.Errorf("%s: %w", dir, ErrNotMatomo)
}

// DomainProblem tells that a host was asked for that has no file of its own although others have: Matomo uses the file
// for all hosts then, and so does this program. It is "" when there is nothing to say.
func (c *Config) DomainProblem() string {
	hosts := Hosts(c.dir)
	if c.source.Host == "" || len(hosts) == 0 || c.file != filepath.Join("config", configFile) {
		return ""
	}
	return fmt.Sprintf("no configuration file of its own for %s: config/%s is used, as Matomo does; there are files for "+
		"%s",
		c.source.Host, configFile, strings.Join(hosts, ", "))
}

// bootstrapWords names what Matomo's bootstrap.php, which the console and the tracker load first, does to the
// configuration, "" when there is nothing of the kind.
func bootstrapWords(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "bootstrap.php"))
	if err != nil {
		return ""
	}
	for _, word := range []string{"PIWIK_USER_PATH", "CONFIG_INI_PATH_RESOLVER", "MATOMO_MODIFY_CONFIG_SETTINGS"} {
		if strings.Contains(string(text), word) {
			return word
		}
	}
	return ""
}

// Bootstrap names what Matomo's bootstrap.php does to the configuration, which is not followed here, "" for nothing.
func (c *Config) Bootstrap() string { return bootstrapWords(c.dir) }
