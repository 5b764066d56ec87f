package cmd

import (
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// axeFile is axe-core, which `make page` fetches. With -update what it looks at is drawn into docs/images.
var axeFile = flag.String("page.axe", "", "look at the status page in Chromium, with this axe.min.js")

// noScripts are preferences of a browser that runs none.
const noScripts = `{"profile":{"default_content_setting_values":{"javascript":2}}}`

// chromium runs the browser on a page, without scripts unless it is given time for them. The scheme is light or dark.
func chromium(t *testing.T, scheme string, args ...string) string {
	t.Helper()
	setting := map[string]string{"dark": "preferredColorScheme=0", "light": "preferredColorScheme=1"}[scheme]
	profile := t.TempDir()
	if !strings.HasPrefix(args[0], "--virtual-time-budget") {
		if err := os.Mkdir(filepath.Join(profile, "Default"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(noScripts), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("chromium", append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
		"--user-data-dir=" + profile, "--blink-settings=" + setting,
	}, args...)...)
	var said strings.Builder
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		t.Fatalf("chromium %q: %v\n%s", args, err, said.String())
	}
	return string(out)
}

// draw makes a small picture of a page, and with -update puts it into docs/images.
func draw(t *testing.T, url, name, scheme string, width, height int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	chromium(t, scheme, "--screenshot="+file, fmt.Sprintf("--window-size=%d,%d", width, height), url)
	if out, err := exec.Command("pngquant", "--force", "--output", file, "32", file).CombinedOutput(); err != nil {
		t.Fatalf("pngquant: %v\n%s", err, out)
	}
	picture, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(picture) > 60<<10 {
		t.Errorf("%s has %d bytes, want 60 KiB at most", name, len(picture))
	}
	if *updateCaptures {
		if err := os.WriteFile(filepath.Join("..", "docs", "images", name), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// What axe finds is written into the page, from where --dump-dom brings it here.
const runAxe = `<script src="/axe.js"></script><script>
axe.run().then(result => {
  const found = document.createElement("pre");
  found.id = "found";
  found.textContent = JSON.stringify({
    Passes: result.passes.length,
    Violations: result.violations.map(v => v.id + ": " + v.help + " " + v.nodes.map(n => n.html).join(" ")),
    Unsure: result.incomplete.map(v => v.id + ": " + v.nodes.map(n => n.html).join(" ")),
  });
  document.body.append(found);
});
</script>`

// Frames of several widths, and what does not fit into them: text is cut off, or the whole page has to be moved. Tables
// move within their frame.
const measure = `<!DOCTYPE html><html lang="en"><title>widths</title><body><script>
const widths = [320, 390, 768, 1280];
Promise.all(widths.map(width => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.width = width; frame.height = 900; frame.src = "/page";
  frame.onload = () => {
    const page = frame.contentDocument, wide = [];
    const needed = page.documentElement.scrollWidth;
    if (needed > width) wide.push(width + ": the page has " + needed);
    for (const e of page.querySelectorAll("h1,h2,p,dt,dd,small,a,.tiles div,.wide"))
      if (e.getBoundingClientRect().right > width || !e.matches(".wide") && e.scrollWidth > e.clientWidth + 1 &&
        getComputedStyle(e).display != "inline") wide.push(width + ": " + e.outerHTML);
    done(wide);
  };
  document.body.append(frame);
}))).then(found => {
  const text = document.createElement("pre");
  text.id = "found";
  text.textContent = JSON.stringify({Passes: found.length, Violations: found.flat(), Unsure: []});
  document.body.append(text);
});
</script>`

// findings is what a script found in a page.
type findings struct {
	Passes             int
	Violations, Unsure []string
}

func find(t *testing.T, scheme, url string) (f findings) {
	t.Helper()
	dom := chromium(t, scheme, "--virtual-time-budget=20000", "--dump-dom", url)
	_, text, ok := strings.Cut(dom, `<pre id="found">`)
	if !ok {
		t.Fatalf("the script has not come to its end:\n%s", dom)
	}
	text, _, _ = strings.Cut(text, "</pre>")
	if err := json.Unmarshal([]byte(html.UnescapeString(text)), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// withScripts serves a page together with scripts, which its policy would not allow.
func withScripts(t *testing.T, page string) string {
	t.Helper()
	mux := http.NewServeMux()
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, text)
		}
	}
	mux.HandleFunc("/page", answer(page))
	mux.HandleFunc("/checked", answer(strings.Replace(page, "</body>", runAxe+"</body>", 1)))
	mux.HandleFunc("/widths", answer(measure))
	mux.HandleFunc("/axe.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, *axeFile) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// A real run, with a worker elsewhere, dead letters and a backlog, looked at between its cycles.
func TestStatusPageInChromium(t *testing.T) {
	if *axeFile == "" {
		t.Skip("make page fetches what this needs")
	}
	i := newInstallation(t)
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 4")
	stageTraffic(t, i)
	i.lock(t, 2)
	for range 5 {
		if err := i.backend.Append(t.Context(), queue.FailedKey(queue.Key(3)), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	clock := &stepClock{now: captureTime}
	var out testserver.Buffer
	looked := false
	clock.during = func(sleeps int) {
		page := scrape(t, out.String(), "/")
		if sleeps == 9 {
			lookAtPage(t, out.String(), page)
			looked = true
		}
	}
	r := i.run(t, []string{
		"process", "--cycle", "10", "--sleep", "6", "--batch", "10", "--max-batches", "1",
		"--metrics-listen", "127.0.0.1:0",
	}, clock.into, func(p *program) { p.stdout = &out })
	if r.status != statusDone || !looked {
		t.Fatalf("exit status %d, looked at %t\n%s", r.status, looked, r.stderr)
	}
}

func lookAtPage(t *testing.T, output, page string) {
	t.Helper()
	_, live, _ := strings.Cut(output, "Status page at ")
	live, _, _ = strings.Cut(live, "\n")
	draw(t, live, "status.png", "light", 900, 850)
	draw(t, live, "status-dark.png", "dark", 900, 850)
	if dom := chromium(t, "light", "--dump-dom", live); !strings.Contains(dom, "Waiting sets") {
		t.Errorf("without scripts the page has nothing:\n%s", dom)
	}
	away := strings.Replace(page, "<main>", `<main><p class="away"><strong>It does not answer.</strong> Why</p>`, 1)
	url := withScripts(t, away)
	for _, scheme := range []string{"light", "dark"} {
		f := find(t, scheme, url+"/checked")
		if f.Passes < 20 {
			t.Errorf("axe has checked %d rules only", f.Passes)
		}
		t.Logf("%s: axe: %d rules pass, %d fail, %d unsure", scheme, f.Passes, len(f.Violations), len(f.Unsure))
		for _, v := range append(f.Violations, f.Unsure...) {
			t.Errorf("%s: %s", scheme, v)
		}
	}
	broken := strings.NewReplacer(` lang="en"`, "", "#57606a", "#c0c0c0").Replace(page)
	if f := find(t, "light", withScripts(t, broken)+"/checked"); len(f.Violations) < 2 {
		t.Errorf("axe takes a page without language and contrast: %q", f.Violations)
	}
	if f := find(t, "light", url+"/widths"); f.Passes != 4 || len(f.Violations) > 0 {
		t.Errorf("does not fit, in %d frames: %s", f.Passes, strings.Join(f.Violations, "\n"))
	}
}

// The picture of monitor is that of its capture.
func TestPictureOfMonitor(t *testing.T) {
	if *axeFile == "" {
		t.Skip("make page fetches what this needs")
	}
	text, err := os.ReadFile(filepath.Join("testdata", "captures", "monitor-graphs.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, screen, ok := strings.Cut(string(text), "════ 80 columns\n")
	if !ok {
		t.Fatal("the capture has no terminal of 80 columns")
	}
	screen, _, _ = strings.Cut(screen, "\n\n════")
	file := filepath.Join(t.TempDir(), "monitor.html")
	page := `<!DOCTYPE html><meta charset="utf-8"><style>body { margin: 0; background: #14181d; }
pre { margin: 0; padding: 12px 14px; color: #e6e9ed; font: 14px/19px "DejaVu Sans Mono", monospace; }</style><pre>` +
		html.EscapeString("$ queuedtracking monitor\n"+screen) + "</pre>"
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := strings.Count(screen, "\n") + 2
	draw(t, "file://"+file, "monitor.png", "dark", 710, 19*lines+28)
}
