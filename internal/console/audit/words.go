package audit

import "stump/internal/console/ui"

// Words are the texts of this page in one language, beside those that all pages share.
type Words struct {
	Looked, Everybody, NobodyLooked, NobodyChanged, NobodyRefused, Find string
	What                                                                map[string]string // of a look
}

func wordsIn(w *ui.Words) *Words { return words[w.Language] }

var words = ui.Texts[Words]("audit")
