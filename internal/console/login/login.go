// Package login has the page on which browsers get in, and where they see who they are.
package login

import (
	"net/http"
	"strconv"

	"stump/internal/console/ui"
)

// View is the page.
type View struct {
	ui.Frame
	T       *Words
	As      string // who has logged in, empty for nobody
	Role    string // theirs
	Account bool   // one can log in with an account of a provider
	Reader  bool   // a badge can be bumped here
	Left    int    // seconds for which a badge is waited for; 0: it is not
}

// New is the page of a station for a browser.
func New(r *http.Request, station, language string) View {
	w := ui.In(r, language)
	f := ui.Frame{Words: w, Title: w.LogIn, Station: station, Bare: true}
	own, ok := words[w.Language]
	if !ok {
		own = words["en"]
	}
	return View{Frame: f, T: own}
}

// Words are the texts of this page in one language.
type Words struct {
	You, Anew, Account, AtReader, Bump, Digits, Secret, HowLink string
}

var words = map[string]*Words{"en": &english, "de": &german, "fr": &french, "es": &spanish}

// Each on its own: the compiler lays them out, and no code has to.
var (
	english = Words{
		You: "You are logged in as %s, with the role ", Anew: "Log in again, or as somebody else", Account: "Log in with your account", AtReader: "Log in at the reader",
		Bump: "Bump your badge at %s, with no device waiting, within ", Digits: "The six digits on the display", Secret: "What stands behind the # of your link",
		HowLink: "An admin gets a link with %s. It works once, for 10 minutes.",
	}
	german = Words{
		You: "Angemeldet ist %s, mit der Rolle ", Anew: "Erneut oder als jemand anders anmelden", Account: "Mit eigenem Konto anmelden", AtReader: "Am Leser anmelden",
		Bump: "Halte deinen Ausweis an %s, wenn kein Gerät wartet, innerhalb von ", Digits: "Die sechs Ziffern auf der Anzeige", Secret: "Was in deinem Link hinter dem # steht",
		HowLink: "Einen Link bekommt ein Admin mit %s. Er gilt einmal, 10 Minuten lang.",
	}
	french = Words{
		You: "%s est connecté, avec le rôle ", Anew: "Se reconnecter, ou sous un autre nom", Account: "Se connecter avec son compte", AtReader: "Se connecter au lecteur",
		Bump: "Présentez votre badge à %s, sans appareil en attente, dans les ", Digits: "Les six chiffres de l'afficheur", Secret: "Ce qui suit le # de votre lien",
		HowLink: "Un admin obtient un lien avec %s. Il sert une fois, pendant 10 minutes.",
	}
	spanish = Words{
		You: "Ha entrado %s, con el papel ", Anew: "Volver a entrar, o como otra persona", Account: "Entrar con su cuenta", AtReader: "Entrar en el lector",
		Bump: "Acerque su tarjeta a %s, sin equipo en espera, antes de ", Digits: "Las seis cifras de la pantalla", Secret: "Lo que sigue al # de su enlace",
		HowLink: "Un admin obtiene un enlace con %s. Sirve una vez, durante 10 minutos.",
	}
)

func seconds(n int) string { return strconv.Itoa(n) + " s." }
