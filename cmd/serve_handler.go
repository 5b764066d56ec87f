package cmd

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/receive"
)

// handlerOptions are what the installation's settings say about answers.
func (c *serveCommand) handlerOptions(counts *receive.Metrics) receive.Options {
	config := c.conn.config
	image, err := receive.LoadImage(config.String("Tracker", "custom_image"))
	if err != nil {
		c.logs.Warn("requests are answered with the usual image", "error", err)
	}
	if config.Bool("Tracker", "bulk_requests_require_authentication") {
		c.logs.Warn("bulk requests are queued without a look at their tokens, " +
			"although bulk_requests_require_authentication is set")
	}
	o := receive.Options{
		Installation: receive.Installation{
			Queues: c.conn.queueCount, Tracker: siteSettings(config), General: c.general.get,
			Cookie: receive.CookieSettings{
				Expire: time.Duration(config.Int("Tracker", "cookie_expire")) * time.Second,
				Secure: config.Bool("General", "assume_secure_protocol"),
				Path:   config.String("Tracker", "cookie_path"), Domain: config.String("Tracker", "cookie_domain"),
			},
			CORS: config.List("General", "cors_domains"), Image: image, Behaviours: c.conn.behaviours(),
		},
		Limits: c.limits, Prefix: c.prefix, Sink: c.writer, Clock: c.clock, Random: rand.Reader,
		Log: c.logs.Logger, Metrics: counts,
	}
	if c.inside != nil {
		o.Track, o.Superuser = c.inside.track, c.inside.isSuperuser
	}
	return o
}

// ready reports whether requests have a place to go.
func (c *serveCommand) ready(ctx context.Context) error {
	if c.store != nil {
		if _, bytes := c.store.Waiting(); bytes < c.spoolMiB<<20 {
			return nil
		}
	}
	_, err := c.conn.backend.Len(ctx, queue.Key(0))
	return err
}

// statusPage is the page for people, at --metrics-listen.
func (c *serveCommand) statusPage() http.Handler {
	engine := ""
	if c.inside != nil {
		engine = string(nativeEngine)
	}
	if c.store == nil {
		return c.conn.statusPage("serve", engine, nil)
	}
	return c.conn.statusPage("serve", engine, c.store.Waiting)
}
