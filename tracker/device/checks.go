package device

import "github.com/queuedtracking/queuedtracking/tracker/device/pattern"

// checks are the patterns that are not in the data files, by their numbers in the index.
type checks struct {
	hbbTV, shellTV, facebookNotebook, desktopSystem, notDesktop int // what decides whether a device file is tried

	virtualReality, chrome, chromePhone, chromeTablet, padAPad, tablet, mobileFragment, touch int

	operaTV, androidTV, smartTV, tv, desktop int

	puffinDesktop, puffinPhone, puffinTablet int
}

func (l *loader) checks() checks {
	word := func(expr string) int { return l.add(expr, pattern.AfterWord) }
	letter := func(expr string) int { return l.add(expr, pattern.AfterLetter) }
	return checks{
		hbbTV:            word(l.facts.hbbTV),
		shellTV:          word(`[a-z]+[ _]Shell[ _]\w{6}|tclwebkit\d`),
		facebookNotebook: word(`FBMD/`),
		desktopSystem:    word(`Windows (?:NT|IoT)|X11; Linux x86_64`),
		notDesktop:       word(l.facts.notDesktop),

		virtualReality: letter(l.facts.virtualReality),
		chrome:         letter(`Chrome/`),
		chromePhone:    letter(l.facts.chromePhone),
		chromeTablet:   letter(l.facts.chromeTablet),
		padAPad:        letter(`Pad/APad`),
		tablet:         letter(l.facts.tabletFragment + `|Opera Tablet`),
		mobileFragment: letter(l.facts.phoneFragment),
		touch:          letter(`Touch`),
		operaTV:        letter(`Opera TV Store| OMI/`),
		androidTV:      letter(l.facts.androidTV),
		smartTV:        letter(`SmartTV|Tizen.+ TV .+$`),
		tv:             letter(`\(TV;`),
		desktop:        letter(l.facts.desktop),

		puffinDesktop: letter(`Puffin/[0-9]+[.0-9]+[LMW]D`),
		puffinPhone:   letter(`Puffin/[0-9]+[.0-9]+[AIFLW]P`),
		puffinTablet:  letter(`Puffin/[0-9]+[.0-9]+[AILW]T`),
	}
}
