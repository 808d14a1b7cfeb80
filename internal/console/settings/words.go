package settings

import "stump/internal/console/ui"

// Words are the texts of this page in one language, beside those that all pages share.
type Words struct {
	Sessions, Begun, Seen, End, This     string
	Mail, MailHint, MailTo, Send, NoMail string
	NoAddress, Step, Works               string
	Check, Right, RightHint, Wrong       string
	Roles                                string
	May                                  map[string]string // what a role may, by its name
}

func wordsIn(w *ui.Words) *Words { return words[w.Language] }

var words = ui.Texts[Words]("settings")
