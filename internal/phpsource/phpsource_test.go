package phpsource

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// source has one declaration of each kind between things that must not disturb.
const source = `<html> const NOT = 1; <?php
declare(strict_types=1);

/* const COMMENTED = 1; */ // const COMMENTED = 2; ' "
# const COMMENTED = 3; '
namespace Matomo\Plugins\X;

use const Foo\BAR;
use function Foo\{a, b};

const TOP = 'top';

#[Attribute(['const' => 1])]
final class Lists extends \Foo\Base implements Countable
{
    use SomeTrait { foo as protected bar; }

    public const VERSION = '6.5.1';
    const A = 1, B = -2.5;
    #[Deprecated("no ' longer")]
    final protected const string TYPED = "typed";
    const TEXT = <<<EOT
      const HEREDOC = 'no'; ' " {$x['EOT']}
      EOT;
    private const AFTER = [self::A, static::B, Lists::VERSION, \Matomo\Plugins\X\Lists::TYPED, 'k' => TOP];
    const NOWDOC = <<<'X'
class Other { const HEREDOC = 1;
X;
    const LOOP = [self::LOOP2];
    const LOOP2 = self::LOOP;
    const MASK = self::A | 2;
    const FOREIGN = Base::X;
    const CALLED = Base::x();
    const NAME = Lists::class;
    const SPREAD = [...self::AFTER];
    const NEW_IN = new Foo();

    /** @var array */
    public static ?array $names = array(
        'AA' => 'Double A', // trailing
        "B\x42" => "tab\tquote\" \$notvar \u{e9} \101 $5 \q",
        7 => ['a', 'b', ], '7' => 'seven', 9 => 'It\'s \n \\',
        'nested' => array('x' => [], "y" => null, 'z' => TRUE),
    );
    protected $plain;
    var $old = 1, $two = 'b' . 'c' . 1;
    public (A&B)|null $dnf = null;
    public string $hooked = 'h' { get => $this->x['a'] = 5; }
    public $interpolated = "a $x b";

    public function const(array $arg = ['x' => self::A], $y = 1): ?array
    {
        static $inner = 5;
        $local = "{$a["key"]} ${b} }";
        $o = new class { const ANONYMOUS = 1; public $anonymous = 2; };
        const_x::class; $z = fn($q) => $q = 1;
        return ["} \" ' {"];
    }
    abstract function x($abstract = 1);
    public $last = 0x1F;
}

class Second { const A = 'second'; const ONLY = self::A; }
if (false) { return 'inner'; }
return ['file', 'n' => Lists::A];
?> const OUT = 1; return 5;
<?php interface I { const LATE = .5e1; }
`

func TestLiteralsAreReadFromAFile(t *testing.T) {
	f := Parse("Lists.php", source)
	for _, test := range []struct{ in, want string }{
		{"TOP", `"top"`},
		{"VERSION", `"6.5.1"`},
		{"A", `1`},
		{"B", `float -2.5`},
		{"TYPED", `"typed"`},
		{"AFTER", `{"0":1,"1":-2.5,"2":"6.5.1","3":"typed","k":"top"}`},
		{"ONLY", `"second"`},
		{"LATE", `float 5`},
		{"$names", `{"AA":"Double A","BB":"tab\tquote\" $notvar \u00e9 A $5 \\q","7":"seven","9":"It's \\n \\",` +
			`"nested":{"x":[],"y":null,"z":true}}`},
		{"$old", `1`},
		{"$two", `"bc1"`},
		{"$dnf", `null`},
		{"$hooked", `"h"`},
		{"$last", `31`},
		{"return", `{"0":"file","n":1}`},

		{"NOT", "Lists.php: NOT: not declared in the file"},
		{"COMMENTED", "Lists.php: COMMENTED: not declared in the file"},
		{"HEREDOC", "Lists.php: HEREDOC: not declared in the file"},
		{"ANONYMOUS", "Lists.php: ANONYMOUS: not declared in the file"},
		{"OUT", "Lists.php: OUT: not declared in the file"},
		{"$plain", "Lists.php: $plain: not declared in the file"},
		{"$inner", "Lists.php: $inner: not declared in the file"},
		{"$anonymous", "Lists.php: $anonymous: not declared in the file"},
		{"$arg", "Lists.php: $arg: not declared in the file"},
		{"$local", "Lists.php: $local: not declared in the file"},
		{"TEXT", "Lists.php:22: TEXT: not a plain value: <<<EOT\n      const HEREDOC = 'no'; ' " + `" {…`},
		{"LOOP", "Lists.php:30: LOOP: not a plain value: self"},
		{"MASK", "Lists.php:31: MASK: not a plain value: |"},
		{"FOREIGN", "Lists.php:32: FOREIGN: constant Base::X is not in this file"},
		{"CALLED", "Lists.php:33: CALLED: constant Base::x is not in this file"},
		{"NAME", "Lists.php:34: NAME: not a plain value: Lists"},
		{"SPREAD", "Lists.php:35: SPREAD: not a plain value: ..."},
		{"NEW_IN", "Lists.php:36: NEW_IN: constant new is not in this file"},
		{"$interpolated", "Lists.php:49: $interpolated: a string with variables"},
	} {
		if got := shown(f, test.in); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.in, got, test.want)
		}
	}
	if _, err := f.Constant("NOT"); !errors.Is(err, ErrAbsent) {
		t.Errorf("NOT: %v", err)
	}
	if _, err := f.Constant("MASK"); err == nil || errors.Is(err, ErrAbsent) {
		t.Errorf("MASK: %v", err)
	}
}

func TestPlainValues(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`1`, `1`},
		{`0`, `0`},
		{`- 12`, `-12`},
		{`+3`, `3`},
		{`017`, `15`},
		{`0o17`, `15`},
		{`0b101`, `5`},
		{`0XfF`, `255`},
		{`1_000`, `1000`},
		{`1.`, `float 1`},
		{`.5`, `float 0.5`},
		{`1e3`, `float 1000`},
		{`1E-2`, `float 0.01`},
		{`-0.0`, `float -0`},
		{`9223372036854775807`, `9223372036854775807`},
		{`9223372036854775808`, `float 9.223372036854776e+18`},
		{`0xFFFFFFFFFFFFFFFF`, `float 1.8446744073709552e+19`},
		{`08`, `error`},
		{`0x`, `error`},
		{`1__0`, `error`},
		{`1_`, `error`},
		{`1e`, `error`},
		{`1abc`, `error`},

		{`''`, `""`},
		{`'a\'b\\c\d'`, `"a'b\\c\\d"`},
		{`"\n\r\t\v\e\f\0"`, `"\n\r\t\u000b\u001b\f\u0000"`},
		{`"\x4a\x4\u{1F600}"`, `"J\u0004\ud83d\ude00"`},
		{`"\u{110000}\u{}\xg"`, `"\\u{110000}\\u{}\\xg"`},
		{`"{ $ } a$"`, `"{ $ } a$"`},
		{`"\{$x"`, `error`},
		{`"${x}"`, `error`},
		{"`ls`", `error`},
		{`'a' . "b"./**/'c'`, `"abc"`},
		{`'a' . 1 . 2.5 . null . true`, `"a12.51"`},
		{`'a' . [] . 'b'`, `error`},
		{`('a' . ('b'))`, `"ab"`},

		{`null`, `null`},
		{`\NULL`, `null`},
		{`True`, `true`},
		{`\false`, `false`},
		{`PHP_INT_MAX`, `error`},

		{`[]`, `[]`},
		{`array()`, `[]`},
		{`array ( 1 , 2 , )`, `[1,2]`},
		{`[-1 => 'a', 'b']`, `{"-1":"a","0":"b"}`},
		{`[5 => 'a', 'b', 'x' => 'c', 'd']`, `{"5":"a","6":"b","x":"c","7":"d"}`},
		{`[true => 'a', 1.7 => 'b', null => 'c']`, `{"1":"b","":"c"}`},
		{`['a' => 1, 'b' => 2, 'a' => 3]`, `{"a":3,"b":2}`},
		{`['a' . 'b' => 'c' . 'd']`, `{"ab":"cd"}`},
		{`[,]`, `error`},
		{`[1 2]`, `error`},
		{`[1`, `error`},
		{`[[] => 1]`, `error`},
		{`[1 => ]`, `error`},
		{`[fn() => 1]`, `error`},
		{`1 ? 2 : 3`, `error`},
		{`5 * 2`, `error`},
		{`!true`, `error`},
		{`-'1'`, `error`},
		{`(int) 5`, `error`},
		{`'open`, `error`},
		{``, `error`},
		{strings.Repeat("[", 60) + strings.Repeat("]", 60), strings.Repeat("[", 60) + strings.Repeat("]", 60)},
		{strings.Repeat("[", 70) + strings.Repeat("]", 70), `error`},
	} {
		for _, form := range []string{"<?php return %s;", "<?php class A { static $x = %s; }", "<?php interface A { const " +
			"x = %s, y = 1; }"} {
			f := Parse("a.php", fmt.Sprintf(form, test.in))
			v, err := f.Return()
			if strings.Contains(form, "static") {
				v, err = f.Property("x")
			} else if strings.Contains(form, "const") {
				v, err = f.Constant("x")
			}
			got := "error"
			if err == nil {
				got = asJSON(v)
			}
			if got != test.want {
				t.Errorf(form+"\n got %s (%v)\nwant %s", test.in, got, err, test.want)
			}
		}
	}
}

func TestOneUnreadableValueLeavesTheOthers(t *testing.T) {
	f := Parse("a.php", `<?php class A { const X = [1, self::f()], Y = 2; static $z = [A::X]; static $w = 4; }`)
	for _, test := range []struct{ in, want string }{
		{"X", "a.php:1: X: constant A::f is not in this file"},
		{"Y", "2"},
		{"$z", "a.php:1: $z: constant A::f is not in this file"},
		{"$w", "4"},
	} {
		if got := shown(f, test.in); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.in, got, test.want)
		}
	}
}

func TestValuesThatReferToThemselvesManyTimesAreRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString("<?php class A { const A0 = 'aaaaaaaa';")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&b, "const A%d = self::A%d . self::A%d;", i, i-1, i-1)
	}
	chain := "<?php const A0 = 1;"
	for i := 1; i < 5000; i++ {
		chain += fmt.Sprintf("const A%d = A%d;", i, i-1)
	}
	for _, test := range []struct{ in, source, want string }{
		{"A59", b.String() + "}", "the value is too large"},
		{"A4999", chain, "the value is nested too deeply"},
	} {
		_, err := Parse("a.php", test.source).Constant(test.in)
		if err == nil || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestOnlyFilesOfUsualSizeAreRead(t *testing.T) {
	folder := fstest.MapFS{
		"small.php": {Data: []byte("<?php return [1];")},
		"large.php": {Data: []byte("<?php return [1];" + strings.Repeat(" ", maxSize))},
	}
	f, err := Read(folder, "small.php")
	if err != nil {
		t.Fatal(err)
	}
	if got := shown(f, "return"); got != "[1]" {
		t.Errorf("got %s, want [1]", got)
	}
	if _, err = Read(folder, "large.php"); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a large file: %v", err)
	}
	if _, err = Read(folder, "none.php"); err == nil {
		t.Error("a missing file is read")
	}
}

// shown is a value as JSON, or the error.
func shown(f *File, name string) string {
	v, err := f.Return()
	if rest, ok := strings.CutPrefix(name, "$"); ok {
		v, err = f.Property(rest)
	} else if name != "return" {
		v, err = f.Constant(name)
	}
	if err != nil {
		return err.Error()
	}
	return asJSON(v)
}

func asJSON(v php.Value) string {
	s, err := php.EncodeJSON(v)
	if err != nil {
		return err.Error()
	}
	if v.Kind() == php.KindFloat {
		return "float " + s
	}
	return s
}

func FuzzParse(f *testing.F) {
	f.Add(source)
	for _, s := range []string{
		"<?php class A { const X = [1, 2 => 'a'], Y = self::X; static $x = X . 'b'; }", "<?php return [\"{$a['b']}\" => 1];",
		"<?php const A = <<<X\n{$b}\n  X; return A;", "<?php const A = B; const B = [A];", "<?php return -0x1F.1e5.'a\\'",
		"<?php #[A]\n return 1 ?>a<?= <?php return 2", "<?php { ( [ } class X { const Y = \"\\u{1F600}\\101$\"",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		file := Parse("f.php", s)
		for _, names := range []map[string]declaration{file.constant, file.property} {
			for name, d := range names {
				if file.values[d] == nil {
					t.Fatalf("%q is named and not noted", name)
				}
				v, err := file.read(names, name, name)
				if errors.Is(err, ErrAbsent) || err == nil && v.IsString() && len(v.Str()) > maxWeight {
					t.Fatalf("%q: %v", name, err)
				}
			}
		}
	})
}
