package stations

import "stump/internal/console/ui"

// Words are the texts of these pages in one language, beside those that all pages share.
type Words struct {
	Station, Readers, Reader, Display, Clock, Ledger, Backup, Places, Certificate      string
	Troubles, AllWell, Works, Down, NewestEvent, NoBackup, BackupUpTo, Off, Own, Until string
	SelfTest, TestHint, AtReader, Start, Scope, OpenScope, ScopeHint, NeedsScript      string
	Wiring, WiringOf, Frames, NoFrames, FramesHint, FrameOf, Check, Measured           string
	Passes, Warns, Fails, LeftOut, AsFor, UnderWay, EndedEarly, End, Again             string
	Yes, No, Send, Back, Pause, Leave, Waits, Stuck, Simulated                         string
	Good, Refused, LinesOf, Lost                                                       string
	Signal, SignalHint, SignalOf, SignalTable, Week, GoodReads, BadReads, Share        string
	Faults, OthersOfLab, LastHeard, Version, Lag, Office                               string
}

// wordsIn are the texts in the language of a page.
func wordsIn(w *ui.Words) *Words {
	if own, ok := words[w.Language]; ok {
		return own
	}
	return words["en"]
}

var words = ui.Texts[Words]("stations")
