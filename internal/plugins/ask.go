package plugins

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/phpchild"
)

// Answer is what Matomo's PHP says of itself.
type Answer struct {
	Matomo   string      `json:"matomo"`
	PHP      string      `json:"php"`
	Loaded   []string    `json:"loaded"` // the plugins that its tracker loads
	Parts    []Part      `json:"parts"`
	Settings [][2]string `json:"settings"` // sections and keys of those that are not as in the files
}

// of are the parts that belong to a plugin or a file.
func (a *Answer) of(owner string) (parts []Part) {
	for _, part := range a.Parts {
		if part.Owner == owner {
			parts = append(parts, part)
		}
	}
	return parts
}

//go:embed inspect.php
var script string

// Bounds of the script. Matomo boots in a tenth of a second, and in a few seconds on a busy machine.
const (
	timeLimit   = 30 * time.Second
	memoryLimit = "256M"
	answerLimit = 8 << 20
	errorLimit  = 4 << 10
)

// run asks the Matomo in dir with a PHP binary.
func run(ctx context.Context, php, dir, host string, without []string) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	answers, end, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer answers.Close()
	command := exec.CommandContext(ctx, php, "-d", "memory_limit="+memoryLimit,
		"-d", fmt.Sprintf("max_execution_time=%d", int(timeLimit.Seconds())), "-d", "display_errors=stderr",
		"-d", "log_errors=0", "-d", "xdebug.mode=off", "-r", strings.TrimPrefix(script, "<?php"), "--",
		dir, host, strings.Join(without, ","))
	command.Env = phpchild.Environment(os.Environ())
	command.ExtraFiles = []*os.File{end} // file descriptor 3
	said := &head{limit: errorLimit}
	command.Stderr, command.WaitDelay = said, time.Second
	restrict(command, filepath.Join(dir, "config"))
	err = command.Start()
	end.Close()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", php, err)
	}
	read := make(chan []byte, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(answers, answerLimit)) // what is cut short is no JSON
		read <- text
	}()
	err = command.Wait()
	answers.SetReadDeadline(time.Now().Add(time.Second)) // a child of PHP's may have the other end
	return understood(ctx, <-read, said.String(), err)
}

// understood is the answer in what PHP wrote before it ended.
func understood(ctx context.Context, text []byte, said string, ended error) (*Answer, error) {
	var answer Answer
	switch err := json.Unmarshal(text, &answer); {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("PHP gave no answer: %w", context.Cause(ctx))
	case err == nil && answer.Matomo != "" && len(answer.Loaded) > 0:
		return &answer, nil // what plugins do at the end is of no interest
	case said != "":
		return nil, fmt.Errorf("PHP cannot start Matomo: %s", firstLine(said))
	case ended != nil:
		return nil, fmt.Errorf("PHP cannot start Matomo: %w", ended)
	default:
		return nil, errors.New("PHP cannot start Matomo: it ended without an answer and without an error")
	}
}

// head keeps the beginning of what is written to it.
type head struct {
	bytes.Buffer
	limit int
}

func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), max(0, h.limit-h.Len()))])
	return len(p), nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}

// without are the active plugins that the queue's worker does not load.
func without(config *matomo.Config) (names []string) {
	if !config.Behaviours().ProviderInWorker {
		names = append(names, "Provider")
	}
	return names
}
