package cmd

import (
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composeFile is what a test looks at in packaging/compose.yaml.
type composeFile struct {
	Services map[string]composeService
	Volumes  map[string]any
}

type composeService struct {
	Image       string
	User        string
	WorkingDir  string   `yaml:"working_dir"`
	DependsOn   []string `yaml:"depends_on"`
	Entrypoint  []string
	Command     []string
	Volumes     []string
	Healthcheck struct{ Test []string }
}

func readCompose(t *testing.T) (file composeFile) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(readDocument(t, "../packaging/compose.yaml").text))
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	return file
}

// officialImage is an image that Docker itself looks after, with a version.
var officialImage = regexp.MustCompile(`^(mariadb|redis|matomo):\d+(\.\d+)?$`)

func TestComposeFileIsOfOnePiece(t *testing.T) {
	file := readCompose(t)
	if len(file.Services) != 4 {
		t.Errorf("%d services, want 4", len(file.Services))
	}
	for name, s := range file.Services {
		if !officialImage.MatchString(s.Image) {
			t.Errorf("%s: image %q", name, s.Image)
		}
		for _, other := range s.DependsOn {
			if _, ok := file.Services[other]; !ok {
				t.Errorf("%s depends on %s, which is no service", name, other)
			}
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if _, ok := file.Volumes[source]; !ok && !strings.HasPrefix(source, "./") {
				t.Errorf("%s: volume %s is not declared", name, source)
			}
		}
	}
}

// The worker starts this program with flags that exist, in the folder of the Matomo beside it, with the same image.
func TestComposeFileStartsTheWorker(t *testing.T) {
	file := readCompose(t)
	worker, matomo := file.Services["worker"], file.Services["matomo"]
	if worker.Image != matomo.Image || worker.User != "www-data" || len(matomo.Volumes) != 1 || len(worker.Volumes) != 2 ||
		worker.Volumes[0] != matomo.Volumes[0] || !strings.HasSuffix(matomo.Volumes[0], ":"+worker.WorkingDir) {
		t.Errorf("worker %+v beside matomo %+v: want the same image and volume, user www-data", worker, matomo)
	}
	if len(worker.Entrypoint) != 1 || worker.Entrypoint[0] != installed ||
		worker.Volumes[1] != "./queuedtracking:"+installed+":ro" {
		t.Errorf("entry point %v, volumes %v: want the program at %s", worker.Entrypoint, worker.Volumes, installed)
	}
	check := worker.Healthcheck.Test
	if len(check) < 3 || check[0] != "CMD" || check[1] != installed {
		t.Fatalf("health check %v", check)
	}
	for _, args := range [][]string{worker.Command, check[2:]} {
		p := newProgram(nil)
		p.logs = newLogger(p.stderr)
		command, rest, err := p.rootCommand().Find(args)
		if err != nil || !command.HasParent() {
			t.Errorf("%v: command %q, %v", args, command.Name(), err)
			continue
		}
		if err := command.ParseFlags(rest); err != nil || command.Flags().NArg() > 0 {
			t.Errorf("%v: %v, %d arguments that are no flags", args, err, command.Flags().NArg())
		}
	}
}
