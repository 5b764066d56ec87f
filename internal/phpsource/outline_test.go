package phpsource

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOutline(t *testing.T) {
	const extended = `<?php
namespace Piwik\Plugins\Mine\Columns; // class Comment extends Nothing { function no() {} }
use Piwik\Plugin\Dimension\VisitDimension as Base, Piwik\Access;
use Piwik\Plugins\Other\{Columns\Theirs, Traits\Hooks as H};
use function Piwik\x;
#[Attribute("Tracker.attribute")]
abstract class A extends Base implements B, C {
	use H, Local { hook as public; }
	const EVENT = 'Tracker.isExcludedVisit'; /* 'Tracker.comment' */
	public static function onNewVisit(Request $r) { return function () use ($r) { return Access::class; }; }
	function &list() { $a = new class extends Theirs { function inner() {} }; }
	function OnAction() {}
}
?> <b>class Html { function f() {} } 'Tracker.html'</b> <?php
final class D extends \Root { public function f() { return ["Tracker.$x" => 1, 'a\\b' => 2, Access::class => 3, namespace\E::class => 4]; } }
trait T { function g() {} }
enum E: string { case A = 'x'; }
$x->class = <<<'X'
Tracker.heredoc
X;
`
	want := Outline{
		Classes: []Class{
			{
				Name: `Piwik\Plugins\Mine\Columns\A`, Extends: `Piwik\Plugin\Dimension\VisitDimension`,
				Traits:  []string{`Piwik\Plugins\Other\Traits\Hooks`, `Piwik\Plugins\Mine\Columns\Local`},
				Methods: []string{"onnewvisit", "list", "onaction"},
			},
			{Extends: `Piwik\Plugins\Other\Columns\Theirs`, Methods: []string{"inner"}},
			{Name: `Piwik\Plugins\Mine\Columns\D`, Extends: "Root", Methods: []string{"f"}},
			{Name: `Piwik\Plugins\Mine\Columns\T`, Methods: []string{"g"}},
			{Name: `Piwik\Plugins\Mine\Columns\E`},
		},
		Strings: []string{
			"Tracker.attribute", "Tracker.isExcludedVisit", "Tracker.$x", `a\b`, "x", "<<<'X'\nTracker.heredoc\nX",
		},
		Keys: []string{"Tracker.$x", `a\b`, `Piwik\Access`, `Piwik\Plugins\Mine\Columns\E`},
	}
	if diff := cmp.Diff(want, Outlined(extended)); diff != "" {
		t.Error(diff)
	}
}

// Whatever a file holds, an outline is made of it.
func FuzzOutline(f *testing.F) {
	for _, seed := range []string{"", "<?php", "<?php class", "<?php use", "<?php class A extends", "<?php }{ use A\\{", "<?php ::class =>", "<?php function"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		o := Outlined(source)
		if n := len(o.Classes) + len(o.Strings) + len(o.Keys); n > len(source) {
			t.Errorf("%d parts of %d bytes", n, len(source))
		}
	})
}
