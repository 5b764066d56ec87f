package php

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "record the answers of a real PHP anew")

// recorded is the number of questions per function whose answers are kept in testdata/answers for machines without PHP.
const recorded = 250

// question is one call of testdata/oracle.php.
type question struct {
	name string
	args []Value
}

func (q question) String() string {
	parts := []string{q.name}
	for _, a := range q.args {
		parts = append(parts, strconv.Quote(Serialize(a)))
	}
	return strings.Join(parts, " ")
}

// phpProgram is a PHP 8.2 with mbstring: the program named by $PHP or found in the path, "" when there is none.
func phpProgram() string {
	if program := os.Getenv("PHP"); program != "" {
		return program
	}
	program, err := exec.LookPath("php")
	if err != nil {
		return ""
	}
	return program
}

// askPHP answers questions by a real PHP.
func askPHP(t *testing.T, program string, questions []question) []Value {
	t.Helper()
	var in bytes.Buffer
	for _, q := range questions {
		in.WriteString(q.name)
		for _, a := range q.args {
			in.WriteString("\t" + hex.EncodeToString([]byte(Serialize(a))))
		}
		in.WriteByte('\n')
	}
	cmd := exec.Command(program, "-d", "precision=14", "testdata/oracle.php")
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	answers := make([]Value, 0, len(questions))
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		text, err := hex.DecodeString(lines.Text())
		if err != nil {
			t.Fatalf("answer %q to %v", lines.Text(), questions[len(answers)])
		}
		v, err := Unserialize(string(text))
		if err != nil {
			t.Fatalf("answer %q to %v: %v", text, questions[len(answers)], err)
		}
		answers = append(answers, v)
	}
	if len(answers) != len(questions) {
		t.Fatalf("%d answers, the first missing one is to %v", len(answers), questions[len(answers)])
	}
	return answers
}

// compareWithPHP puts random questions and compares the answers by value: n of them to a real PHP where there is one,
// and those that were recorded.
func compareWithPHP(t *testing.T, name string, n int, ask func(r *rand.Rand) []Value, ours func(args []Value) Value) {
	compareAnswers(t, name, n, ask, func(args []Value, want Value) (string, bool) {
		got := Serialize(ours(args))
		return got, got == Serialize(want)
	})
}

// compareAnswers is compareWithPHP with a comparison of its own, which also says what we found.
func compareAnswers(
	t *testing.T, name string, n int, ask func(r *rand.Rand) []Value, check func(args []Value, want Value) (string, bool),
) {
	t.Run(name, func(t *testing.T) {
		questions, answers := readAnswers(t, name)
		if program := phpProgram(); program != "" {
			r := rand.New(rand.NewPCG(1, uint64(n)))
			questions = make([]question, n)
			for i := range questions {
				questions[i] = question{name, ask(r)}
			}
			answers = askPHP(t, program, questions)
			if *update {
				writeAnswers(t, name, questions, answers)
			}
		}
		wrong := 0
		for i, want := range answers {
			got, equal := check(questions[i].args, want)
			if equal {
				continue
			}
			if t.Errorf("%v\n got %s\nwant %s", questions[i], got, Serialize(want)); wrong == 15 {
				t.Fatal("and more")
			}
			wrong++
		}
	})
}

func answerFile(name string) string { return filepath.Join("testdata", "answers", name+".txt") }

// writeAnswers keeps the first questions, not too many of them mistakes: the function, its arguments and PHP's answer,
// serialized and quoted.
func writeAnswers(t *testing.T, name string, questions []question, answers []Value) {
	t.Helper()
	var b strings.Builder
	kept, mistakes := 0, 0
	for i, answer := range answers {
		if answer.Str() == "error" || answer.Kind() == KindBool || answer.Kind() == KindArray && answer.Array().Len() == 0 {
			if mistakes++; mistakes > recorded/3 {
				continue
			}
		}
		if kept++; kept > recorded {
			break
		}
		fmt.Fprintf(&b, "%v = %q\n", questions[i], Serialize(answer))
	}
	if err := os.WriteFile(answerFile(name), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readAnswers(t *testing.T, name string) (questions []question, answers []Value) {
	t.Helper()
	data, err := os.ReadFile(answerFile(name))
	if err != nil && !*update {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var values []Value
		rest := strings.TrimSpace(strings.TrimPrefix(line, name))
		for rest != "" {
			rest = strings.TrimSpace(strings.TrimPrefix(rest, "="))
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				t.Fatalf("%s: %q", answerFile(name), line)
			}
			rest = strings.TrimSpace(rest[len(quoted):])
			text, _ := strconv.Unquote(quoted)
			v, err := Unserialize(text)
			if err != nil {
				t.Fatalf("%s: %q: %v", answerFile(name), line, err)
			}
			values = append(values, v)
		}
		questions = append(questions, question{name, values[:len(values)-1]})
		answers = append(answers, values[len(values)-1])
	}
	return questions, answers
}
