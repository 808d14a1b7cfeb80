package stocktaking

import (
	"stump/checkout/stock"
	"stump/internal/console/ui"
)

// Words are the texts of the page in one language.
type Words struct {
	Title, Never, UnderWay, Ended, Start, GoOn, Finish, Correct, CorrectDoes, Does string
	IsHere, Count, Table, AllFine, What, Number                                    string
	Found                                                                          map[stock.Finding]string
}

func wordsIn(w *ui.Words) *Words {
	if own, ok := words[w.Language]; ok {
		return own
	}
	return words["en"]
}

var words = ui.Texts[Words]("stocktaking")
