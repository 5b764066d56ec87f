package phpsource

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// maxSize is the largest file that is read, in bytes. The largest one of Matomo's with lists has about 100 KB.
const maxSize = 1 << 20

// maxDeclarations is how many declarations of a file are noted; further ones count as absent.
const maxDeclarations = 10_000

// ErrAbsent is the error for a constant, property or return that the file does not have.
var ErrAbsent = errors.New("not declared in the file")

// Error tells which value of a file could not be read, and why.
type Error struct {
	File string
	Line int    // of the place that could not be read, from 1; 0 when the declaration is absent
	Name string // as it was asked for: NAME, $name or return
	Err  error
}

// Error names file, line and name.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s: %v", e.File, e.Name, e.Err)
	}
	return fmt.Sprintf("%s:%d: %s: %v", e.File, e.Line, e.Name, e.Err)
}

// Unwrap returns the cause, ErrAbsent for what is not declared.
func (e *Error) Unwrap() error { return e.Err }

// File is the text of a PHP file in which declarations have been found. Their values are read when asked for. It must
// not be used by several goroutines at once.
type File struct {
	name     string
	source   string
	values   map[declaration]*value
	constant map[string]declaration // the first of each name, whatever its class
	property map[string]declaration
}

// declaration names a constant, a property or, without name, a file's return. Class is "" outside of classes.
type declaration struct{ class, name string }

// value is where the value of a declaration begins, and what it is once that is known.
type value struct {
	at      int
	class   string
	reading bool
	known   bool
	result  php.Value
	weight  int
	err     error
}

// Read reads the file called name of a folder; errors are those of the folder and "file too large".
func Read(folder fs.FS, name string) (*File, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	source, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(source) > maxSize {
		return nil, fmt.Errorf("%s: file too large: more than %d bytes", name, maxSize)
	}
	return Parse(name, string(source)), nil
}

// Parse finds the declarations in the text of a PHP file. The name is for errors. Text that is no PHP has no
// declarations.
func Parse(name, source string) *File {
	f := &File{
		name: name, source: source,
		values: map[declaration]*value{}, constant: map[string]declaration{}, property: map[string]declaration{},
	}
	scan := scanner{file: f, lexer: newLexer(source)}
	scan.run()
	return f
}

// Constant is the value of a constant of the file's class, or of the file. With several classes in the file, the first
// that has it.
func (f *File) Constant(name string) (php.Value, error) { return f.read(f.constant, name, name) }

// Property is the default value of a property of the file's class, static or not. The name has no $.
func (f *File) Property(name string) (php.Value, error) { return f.read(f.property, name, "$"+name) }

// Return is what the file gives to the one that includes it: the last return that is not within braces.
func (f *File) Return() (php.Value, error) { return f.read(f.property, "", "return") }

func (f *File) read(names map[string]declaration, name, shown string) (php.Value, error) {
	d, ok := names[name]
	if !ok {
		return php.Null, &Error{File: f.name, Name: shown, Err: ErrAbsent}
	}
	v := f.values[d]
	f.evaluate(v, 0)
	var failed *syntaxError
	if errors.As(v.err, &failed) {
		line := 1 + strings.Count(f.source[:failed.at], "\n")
		return php.Null, &Error{File: f.name, Line: line, Name: shown, Err: errors.New(failed.reason)}
	}
	return v.result, nil
}
