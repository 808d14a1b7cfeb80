package audit

import "stump/internal/console/ui"

// Words are the texts of this page in one language, beside those that all pages share.
type Words struct {
	Looked, Everybody, NobodyLooked, NobodyChanged, NobodyRefused, Find string
	What                                                                map[string]string // of a look
}

func wordsIn(w *ui.Words) *Words { return words[w.Language] }

var words = map[string]*Words{"en": &english, "de": &german, "fr": &french, "es": &spanish}

// Each on its own: the compiler lays them out, and no code has to.
var (
	english = Words{
		Looked: "Who looked at others", Everybody: "everybody", NobodyLooked: "Nobody looked at what others have or had.", NobodyChanged: "Nobody changed anything.", NobodyRefused: "Everybody was let in.",
		Find: "Find a name or a device", What: map[string]string{"loans": "loans", "history": "history", "dossier": "dossier"},
	}
	german = Words{
		Looked: "Wer bei anderen nachgesehen hat", Everybody: "alle", NobodyLooked: "Niemand hat nachgesehen, was andere haben oder hatten.", NobodyChanged: "Niemand hat etwas geändert.", NobodyRefused: "Alle wurden eingelassen.",
		Find: "Name oder Gerät finden", What: map[string]string{"loans": "Ausleihen", "history": "Verlauf", "dossier": "Auskunft"},
	}
	french = Words{
		Looked: "Qui a regardé les autres", Everybody: "tout le monde", NobodyLooked: "Personne n'a regardé ce que d'autres ont ou ont eu.", NobodyChanged: "Personne n'a rien changé.", NobodyRefused: "Tout le monde a pu entrer.",
		Find: "Trouver un nom ou un appareil", What: map[string]string{"loans": "prêts", "history": "historique", "dossier": "dossier"},
	}
	spanish = Words{
		Looked: "Quién miró a otros", Everybody: "todos", NobodyLooked: "Nadie miró lo que otros tienen o tuvieron.", NobodyChanged: "Nadie cambió nada.", NobodyRefused: "Todos pudieron entrar.",
		Find: "Buscar un nombre o un equipo", What: map[string]string{"loans": "préstamos", "history": "historial", "dossier": "expediente"},
	}
)
