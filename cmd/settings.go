package cmd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/queuedtracking/queuedtracking/internal/certificate"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// override is one setting that a flag or an environment variable may change.
type override struct {
	flag   string
	usage  string
	isBool bool
	set    func(value string) error
}

// variable is the name of the environment variable: QUEUEDTRACKING_REDIS_HOST for redis-host.
func (o override) variable() string {
	return "QUEUEDTRACKING_" + strings.ToUpper(strings.ReplaceAll(o.flag, "-", "_"))
}

// overrides are the settings that can be changed, with their values: those of the installation before, the final ones
// after apply.
type overrides struct {
	queue    matomo.QueueSettings
	redisTLS redisTLS
	database matomo.Database
	origins  map[string]string // by flag: in words, where a setting comes from that was changed
}

// redisTLS says how to speak TLS to Redis. The plugin has no setting for it but a host that begins with tls://.
type redisTLS struct {
	on                    bool
	ca, cert, key, server string
	skipVerify            bool
}

func newOverrides() *overrides {
	return &overrides{queue: matomo.DefaultQueueSettings(), origins: make(map[string]string)}
}

func (o *overrides) all() []override { return append(o.ofQueue(), o.ofDatabase()...) }

func (o *overrides) ofQueue() []override {
	q, t := &o.queue, &o.redisTLS
	return []override{
		text("backend", "where the queues are: redis or mysql", &q.Backend),
		{
			"redis-type", "stand-alone, sentinel or cluster", false,
			func(v string) error { return setRedisType(&q.RedisType, v) },
		},
		text("redis-host", "host name, address or path of a unix socket; tls://host for TLS", &q.RedisHost),
		text("redis-port", "port", &q.RedisPort),
		{
			"redis-timeout", "seconds to wait for a connection, 0 for 5", false,
			func(v string) error { return setSeconds(&q.RedisTimeout, v) },
		},
		number("redis-database", "number of the database", &q.RedisDatabase),
		text("redis-user", "ACL user (redisUsername)", &q.RedisUsername),
		text("redis-password", "password; better in the variable: command lines can be seen by others", &q.RedisPassword),
		text("sentinel-master-name", "name of Sentinel's master", &q.SentinelName),
		boolean("use-password-for-sentinel-instances",
			"log in to the Sentinels, too; without, only to those that ask for it", &q.SentinelLogin),
		boolean("redis-tls", "speak TLS", &t.on),
		text("redis-tls-ca", "PEM file of the authorities that sign the server's certificate", &t.ca),
		text("redis-tls-cert", "PEM file of the client certificate", &t.cert),
		text("redis-tls-key", "PEM file of its key", &t.key),
		text("redis-tls-server-name", "name in the server's certificate, if it is not the host", &t.server),
		boolean("redis-tls-skip-verify", "take any certificate", &t.skipVerify),
		boolean("queue-enabled", "whether Matomo queues new requests (shown, not changed)", &q.Enabled),
		number("num-queue-workers", "number of queues; has to be what the writers use", &q.NumQueueWorkers),
		number("num-requests-to-process", "sets of requests per transaction, and the least that a queue must hold",
			&q.NumRequestsToProcess),
		boolean("process-during-tracking-request", "whether Matomo also processes in web requests (shown, not changed)",
			&q.ProcessDuringTrackingRequest),
	}
}

func (o *overrides) ofDatabase() []override {
	d := &o.database
	return []override{
		{"db-host", "host name, address or path of a unix socket", false, func(v string) error {
			d.Host, d.Socket = v, "" // a socket in config.ini.php would win
			return nil
		}},
		number("db-port", "port", &d.Port),
		text("db-socket", "path of a unix socket", &d.Socket),
		text("db-user", "user", &d.Username),
		text("db-password", "password; better in the variable: command lines can be seen by others", &d.Password),
		text("db-name", "name of the database", &d.Name),
		text("db-prefix", "what the names of Matomo's tables begin with", &d.Prefix),
		{"db-charset", "character set of the connection", false, func(v string) error {
			if v != d.Charset { // the collation in config.ini.php is that of another one
				d.Charset, d.Collation = v, ""
			}
			return nil
		}},
		boolean("db-tls", "speak TLS where the server can; --db-tls-ca, or --db-tls-skip-verify, insists on it",
			&d.EnableSSL),
		text("db-tls-ca", "PEM file of the authorities that sign the server's certificate", &d.SSLCA),
		text("db-tls-cert", "PEM file of the client certificate", &d.SSLCert),
		text("db-tls-key", "PEM file of its key", &d.SSLKey),
		boolean("db-tls-skip-verify", "take any certificate", &d.SSLNoVerify),
	}
}

func text(flag, usage string, into *string) override {
	return override{flag, usage, false, func(v string) error { *into = v; return nil }}
}

func number(flag, usage string, into *int) override {
	return override{flag, usage, false, func(v string) error {
		n, err := strconv.Atoi(strings.TrimSpace(v))
		if err != nil {
			return errors.New("not a whole number")
		}
		*into = n
		return nil
	}}
}

func boolean(flag, usage string, into *bool) override {
	return override{flag, usage, true, func(v string) error {
		b, err := strconv.ParseBool(strings.TrimSpace(v))
		if err != nil {
			return errors.New("neither true nor false")
		}
		*into = b
		return nil
	}}
}

func setSeconds(into *time.Duration, v string) error {
	s, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err != nil || math.IsNaN(s) || s < 0 || s > 1e6 {
		return errors.New("not a number of seconds")
	}
	*into = time.Duration(s * float64(time.Second))
	return nil
}

func setRedisType(into *matomo.RedisType, v string) error {
	for _, t := range []matomo.RedisType{matomo.RedisStandAlone, matomo.RedisSentinel, matomo.RedisCluster} {
		if v == t.String() || v == strconv.Itoa(int(t)) {
			*into = t
			return nil
		}
	}
	return errors.New("none of stand-alone, sentinel, cluster")
}

// overrideAnnotation marks the flags that addOverrides has made.
const overrideAnnotation = "setting"

func addOverrides(flags *pflag.FlagSet, list []override) {
	for _, o := range list {
		if o.isBool {
			flags.Bool(o.flag, false, o.usage)
		} else {
			flags.String(o.flag, "", o.usage)
		}
		_ = flags.SetAnnotation(o.flag, overrideAnnotation, []string{"true"})
	}
}

// apply changes settings to what the flags, the environment or files of secrets have.
func (o *overrides) apply(p *program, flags *pflag.FlagSet, list []override) error {
	for _, setting := range list {
		f, err := p.find(flags, setting)
		if err != nil {
			return err
		}
		if f.origin == "" {
			continue
		}
		if err := setting.set(f.value); err != nil {
			what := f.origin + " "
			if variable, ok := strings.CutPrefix(f.origin, "the variable "); ok {
				what = variable + "="
			}
			return usage("%s%s: %w", what, shown(setting, f.value), err)
		}
		o.origins[setting.flag] = f.origin
	}
	return nil
}

// find looks for a setting: the flag, else the environment variable if it is not empty, else a file with a secret.
func (p *program) find(flags *pflag.FlagSet, o override) (found, error) {
	if f := flags.Lookup(o.flag); f != nil && f.Changed {
		return found{f.Value.String(), "--" + o.flag}, nil
	}
	if value, ok := p.lookupEnv(o.variable()); ok && value != "" {
		return found{value, "the variable " + o.variable()}, p.bothSet(o)
	}
	return p.secret(o)
}

func shown(o override, value string) string {
	if o.isSecret() {
		return "(hidden)"
	}
	return strconv.Quote(value)
}

// config is the TLS configuration, nil without TLS. Naming a file asks for TLS, and so does a host that begins with
// tls://. What checks no certificate reads no authorities, as in PHP.
func (t redisTLS) config(host string) (*tls.Config, error) {
	if !t.on && !strings.Contains(host, "tls://") && t.ca == "" && t.cert == "" && t.key == "" && !t.skipVerify &&
		t.server == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.server, InsecureSkipVerify: t.skipVerify} // asked for
	if t.ca != "" && !t.skipVerify {
		var err error
		if c.RootCAs, err = certificate.Pool(t.ca, nil); err != nil {
			return nil, fmt.Errorf("redis certificate authority: %w", err)
		}
	}
	if (t.cert == "") != (t.key == "") {
		return nil, errors.New("redis client certificate: --redis-tls-cert and --redis-tls-key belong together, set both " +
			"or none")
	}
	if t.cert != "" {
		pair, err := tls.LoadX509KeyPair(t.cert, t.key)
		if err != nil {
			return nil, fmt.Errorf("redis client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

const settingsIntro = `Every setting is looked for in this order; the first place that has it counts:

    1. the flag                      --redis-host redis.example.org
    2. the environment variable      QUEUEDTRACKING_REDIS_HOST=redis.example.org
    3. for passwords, a file or a credential of systemd:
         QUEUEDTRACKING_REDIS_PASSWORD_FILE=/run/secrets/redis
         LoadCredential=queuedtracking.redis-password:/etc/redis.secret
    4. Matomo's plugin EnvironmentVariables, where it is active:
         MATOMO_QUEUEDTRACKING_REDISHOST, MATOMO_DATABASE_PASSWORD
    5. config/config.ini.php         section [QueuedTracking] or [database]
    6. the plugin's page in Matomo   table plugin_setting
    7. the plugin's default

Normally nothing has to be set here: the program finds what Matomo uses. Variables that are empty count as not set,
except those of plugin EnvironmentVariables: there an empty one empties the setting, as in Matomo.

Passwords are better kept out of command lines, which others on the machine can read:

    QUEUEDTRACKING_REDIS_PASSWORD=… queuedtracking process

A file with a password may end with a line end, which is left out. It is an error to set a variable and the one for its
file. Credentials are looked for in $CREDENTIALS_DIRECTORY, which systemd sets: queuedtracking.redis-password and
queuedtracking.db-password.
`

// newSettingsTopic: queuedtracking help settings.
func newSettingsTopic(p *program) *cobra.Command {
	topic := &cobra.Command{
		Use: "settings", Short: "Where settings come from, and their flags and variables",
		Long: settingsIntro,
	}
	topic.SetHelpFunc(func(*cobra.Command, []string) { fmt.Fprint(p.stdout, settingsHelp(p.helpColumns())) })
	return topic
}

// settingsHelp is the text of "queuedtracking help settings" in lines of that many columns.
func settingsHelp(columns int) string {
	var b strings.Builder
	b.WriteString(terminal.Reflow(settingsIntro, columns))
	o := newOverrides()
	for _, group := range []struct {
		title string
		list  []override
	}{{"Queue and Redis", o.ofQueue()}, {"Database", o.ofDatabase()}} {
		fmt.Fprintf(&b, "\n%s:\n", group.title)
		for _, s := range group.list {
			fmt.Fprintln(&b, flagEntry("  --"+s.flag, s.usage, columns))
			b.WriteString(variableLine(s.variable(), columns))
			if s.isSecret() {
				b.WriteString(variableLine(s.fileVariable(), columns))
			}
		}
	}
	return b.String()
}

// variableLine is a variable below the explanation of its flag, or further left where it would not fit.
func variableLine(name string, columns int) string {
	indent := nameColumn
	if nameColumn+len(name) >= columns {
		indent = 6
	}
	return fmt.Sprintf("%*s$%s\n", indent, "", name)
}
