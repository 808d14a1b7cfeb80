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

var words = map[string]*Words{"en": &english, "de": &german, "fr": &french, "es": &spanish}

// Each on its own: the compiler lays them out, and no code has to.
var (
	english = Words{
		Title: "Stock", Never: "No stock was taken yet.", UnderWay: "Under way: %s are here.", Ended: "Ended %s: %s were here.",
		Start: "Begin", GoOn: "Go on at the readers", Finish: "End it", Correct: "Put all of it right", CorrectDoes: "What is missing is lost, what is here but lent is back, what was lost is found.",
		Does:   "The readers count each device that is bumped alone. A badge has its device as always.",
		IsHere: "Device that is here", Count: "It is here", Table: "What was found", AllFine: "All is as it should be.", What: "Found", Number: "Unknown tag %s",
		Found: map[stock.Finding]string{stock.Missing: "missing", stock.Here: "here, but lent", stock.Found: "was lost, is here", stock.Unused: "no longer in use, is here", stock.Unknown: "unknown tag"},
	}
	german = Words{
		Title: "Inventur", Never: "Es gab noch keine Inventur.", UnderWay: "Läuft: %s sind da.", Ended: "Beendet %s: %s waren da.",
		Start: "Beginnen", GoOn: "An den Lesern weitermachen", Finish: "Beenden", Correct: "Alles richtigstellen", CorrectDoes: "Was fehlt, ist verloren; was da, aber verliehen ist, ist zurück; was verloren war, ist gefunden.",
		Does:   "Die Leser zählen jedes Gerät, das allein angehalten wird. Ein Ausweis bekommt sein Gerät wie immer.",
		IsHere: "Gerät, das da ist", Count: "Es ist da", Table: "Was gefunden wurde", AllFine: "Alles ist, wie es sein soll.", What: "Befund", Number: "Unbekannter Chip %s",
		Found: map[stock.Finding]string{stock.Missing: "fehlt", stock.Here: "da, aber verliehen", stock.Found: "war verloren, ist da", stock.Unused: "außer Gebrauch, ist da", stock.Unknown: "unbekannter Chip"},
	}
	french = Words{
		Title: "Inventaire", Never: "Pas encore d'inventaire.", UnderWay: "En cours : %s sont là.", Ended: "Terminé %s : %s étaient là.",
		Start: "Commencer", GoOn: "Continuer aux lecteurs", Finish: "Terminer", Correct: "Tout corriger", CorrectDoes: "Ce qui manque est perdu, ce qui est là mais emprunté est rendu, ce qui était perdu est retrouvé.",
		Does:   "Les lecteurs comptent chaque appareil passé seul. Un badge reçoit son appareil comme toujours.",
		IsHere: "Appareil qui est là", Count: "Il est là", Table: "Ce qui a été trouvé", AllFine: "Tout est en ordre.", What: "Constat", Number: "Puce inconnue %s",
		Found: map[stock.Finding]string{stock.Missing: "manque", stock.Here: "là, mais emprunté", stock.Found: "était perdu, est là", stock.Unused: "plus utilisé, est là", stock.Unknown: "puce inconnue"},
	}
	spanish = Words{
		Title: "Inventario", Never: "Aún no se ha hecho inventario.", UnderWay: "En curso: %s están aquí.", Ended: "Terminado %s: %s estaban aquí.",
		Start: "Empezar", GoOn: "Seguir en los lectores", Finish: "Terminar", Correct: "Corregirlo todo", CorrectDoes: "Lo que falta está perdido, lo que está aquí pero prestado vuelve, lo perdido se ha encontrado.",
		Does:   "Los lectores cuentan cada equipo que se pasa solo. Una tarjeta recibe su equipo como siempre.",
		IsHere: "Equipo que está aquí", Count: "Está aquí", Table: "Lo que se ha encontrado", AllFine: "Todo está como debe.", What: "Hallazgo", Number: "Etiqueta desconocida %s",
		Found: map[stock.Finding]string{stock.Missing: "falta", stock.Here: "aquí, pero prestado", stock.Found: "estaba perdido, está aquí", stock.Unused: "ya no se usa, está aquí", stock.Unknown: "etiqueta desconocida"},
	}
)
