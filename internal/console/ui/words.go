// Package ui has what all pages share: the frame, the words in four languages, times as
// people read them, and the files for browsers.
package ui

import (
	"cmp"
	"net/http"
	"strings"
)

// Words are the texts of the pages in one language. %s stand for names and times.
type Words struct {
	Language string // its code

	Board, My, Devices, People, LogIn, LogOut, Skip      string
	WhoHasWhat, Out, Overdue, DueSoon, Free, All         string
	Device, Person, Since, Due, Kind, State, Kit         string
	Parts, InIt, Missing, NotBack                        string
	Find, LabAway, NothingOut, NothingFound, NothingFree string
	NoKind, NoHistory                                    string
	Before, Unknown, NotOnTime, NoEnd, Doubtful, Lost    string
	Retired, Suspended, OutUntil, With, Nobody           string
	Return, Give, GiveTo, Extend, Until, Note, Condition string
	Fine, Damaged, Incomplete, ReportLost, ReportFound   string
	ReportFault, WhatIsWrong                             string
	History, When, What, Who, Serial, Place, Tag, Link   string
	NotFound, NotFoundHint, Changed, NotConnected        string
	YouHaveNothing, LogInHint, Badges, Has, MoreRows     string
	Saved, ShowAll, Optional, Page, DueAt, ItWas         string
	MoreLinks, FindPerson, FindDevice                    string
	Stations, BadRows                                    string

	// The page of imports.
	Import, LookAgain, AnotherFile, WhatIsIn, CSVFile, ImportHint, LookAtIt string
	ColumnsTitle, LeaveOut, NotYet, Line, Added, Altered, Unchanged         string

	// The page of reports.
	Reports, SinceText, TakenTitle, MonthsTitle, Times, LongestTitle, DaysTitle, UnusedTitle, UndatedText string

	// The audit and the settings.
	Audit, Settings, ChangesTitle, RefusedTitle, From, TokensTitle, OnlyOnce   string
	NameTitle, RoleTitle, UsedTitle, Revoke, AddToken, ConfigTitle, ConfigHint string

	// Calendars.
	Calendar, CalendarMine, CalendarDevice, CalendarHint, NewAddress string

	// The page of labels.
	Labels, OnASheet, AlreadyGone, LabelHint         string
	Inbox, NothingToDo, FaultsHere, NobodysTags      string
	TwoStories, NotTaken, PartsMissing, UnknownBadge string
	ReservedTwice, StationsDiffer                    string
	UnknownDevice, UnknownTag, SeenTimes, SeenLast   string
	SeenAt, Assign, Ignore, IgnoreDoes, AssignTo     string
	APerson, ADevice, RetryIt, RetryDoes, AcceptIt   string
	AcceptDoes, DoubtDoes, DropIt, DropDoes, HereIs  string
	ThereIs, Why, ToDo, AtPlace, LookAt, MissingPart string
	WaitsGone                                        string

	// The page of enrolments.
	EnrolTitle, NameOf, ShowTag, BumpNow, HasTag, UndoIt, Undone, NotShown, Reload string

	Days, Months [12]string
	// OfMonth is a day before its month, and InDays a span of at least two.
	OfMonth, InDays string
	// Kinds are what happened, by the kind of event.
	Kinds Dict
}

var words = []*Words{&english, &german, &french, &spanish}

// In returns the words in the first language that a browser asks for and there are words in,
// or else in the station's.
func In(r *http.Request, station string) *Words {
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") { // browsers send them in order
		if w := of(strings.TrimSpace(tag)); w != nil {
			return w
		}
	}
	return Spoken(station)
}

// Spoken returns the words in the station's language.
func Spoken(station string) *Words { return cmp.Or(of(station), words[0]) }

// of returns the words of a language such as "de-CH;q=0.9"; nil if there are none.
func of(tag string) *Words {
	for _, w := range words {
		if rest, ok := strings.CutPrefix(strings.ToLower(tag), w.Language); ok && (rest == "" || strings.ContainsAny(rest[:1], "-;")) {
			return w
		}
	}
	return nil
}

var english = Words{
	Language: "en",
	Board:    "Board", My: "My devices", Devices: "Devices", People: "People", LogIn: "Log in", LogOut: "Log out", Skip: "Skip to the content",
	WhoHasWhat: "Who has what", Out: "out", Overdue: "overdue", DueSoon: "due soon", Free: "free", All: "all",
	Device: "Device", Person: "Person", Since: "Since", Due: "Due", Kind: "Kind", State: "State", Kit: "Part of",
	Parts: "Parts", InIt: "in it", Missing: "missing", NotBack: "Did not come back with it",
	Find: "Find a device or a person", LabAway: "The lab is not reached. Of other stations this is what was so at %s.", NothingOut: "Everything is here.", NothingFound: "Nothing is called that.", NothingFree: "Nothing is free.", NoKind: "other", NoHistory: "Nothing has happened yet.",
	Before: "before %s", Unknown: "not known", NotOnTime: "%s late", NoEnd: "no end", Doubtful: "doubtful", Lost: "lost",
	Retired: "no longer in use", Suspended: "suspended", OutUntil: "out of service until %s", With: "with %s", Nobody: "Nobody has it.",
	Return: "Return", Give: "Give", GiveTo: "To whom", Extend: "Extend", Until: "Until", Note: "Note", Condition: "Condition",
	Fine: "fine", Damaged: "damaged", Incomplete: "incomplete", ReportLost: "Report as lost", ReportFound: "It was found", ReportFault: "Report a fault", WhatIsWrong: "What is wrong",
	History: "History", When: "When", What: "What", Who: "Who", Serial: "Serial number", Place: "Place", Tag: "Tag", Link: "Page of the asset manager",
	NotFound: "There is no such page", NotFoundHint: "The board has everything that there is.", Changed: "It has changed meanwhile. Nothing was saved: look again, and decide anew.",
	NotConnected:   "Not connected. What you see may be old; bumps still count.",
	YouHaveNothing: "You have nothing.", LogInHint: "Log in to see more.", Badges: "Badges", Has: "Has now", MoreRows: "There are more. Find narrows it down.",
	Saved: "Saved.", ShowAll: "Show all", Optional: "optional", Page: "Page", DueAt: "due %s", ItWas: "it was %s", MoreLinks: "More", FindPerson: "Find a person", FindDevice: "Find a device",
	Import: "Import", LookAgain: "Look again", AnotherFile: "Another file", WhatIsIn: "What is in the file", CSVFile: "A CSV file", ImportHint: "As a spreadsheet saves it, with any columns. First you see what it would change; nothing is kept of it.", LookAtIt: "Look at it", ColumnsTitle: "The columns", LeaveOut: "leave out", NotYet: "Not yet: correct these lines", Line: "Line", Added: "new", Altered: "changed", Unchanged: "as before",
	Reports: "Reports", SinceText: "Since %s", TakenTitle: "Taken", MonthsTitle: "Months", Times: "Times", LongestTitle: "Out the longest", DaysTitle: "Days", UnusedTitle: "never taken", UndatedText: "%s more were taken while the station did not know the time.",
	Audit: "Audit", Settings: "Settings", ChangesTitle: "Changed by admins and scripts, in 30 days", RefusedTitle: "Not let in", From: "From", TokensTitle: "Tokens of scripts", OnlyOnce: "It is shown this once:", NameTitle: "Name", RoleTitle: "Role", UsedTitle: "Last used", Revoke: "Revoke", AddToken: "Make a token", ConfigTitle: "Configuration", ConfigHint: "As the file says it, with all defaults. It is changed there.",
	Calendar: "Calendar", CalendarMine: "Your calendar program can show what is reserved for you and when you must bring something back.", CalendarDevice: "A calendar program can show for whom this is reserved.", CalendarHint: "It subscribes to a secret address: whoever has it reads this calendar. A new one ends the one before.", NewAddress: "Make an address",
	Labels: "Labels", OnASheet: "Labels on a sheet", AlreadyGone: "Already gone", LabelHint: "Print without margins, at 100 %. A phone that reads a code opens the device's page.",
	Inbox: "Inbox", NothingToDo: "Nothing to do.", FaultsHere: "Faults", NobodysTags: "Tags that nobody has",
	TwoStories: "Who has it?", NotTaken: "Not delivered", PartsMissing: "Missing from their kits", ReservedTwice: "Reserved twice", StationsDiffer: "Stations did not agree", UnknownBadge: "Unknown badge %s",
	UnknownDevice: "Unknown device %s", UnknownTag: "Unknown tag %s", SeenTimes: "shown %s×", SeenLast: "last %s",
	SeenAt: "at %s", Assign: "Assign", Ignore: "Ignore", IgnoreDoes: "Ignore: it is not listed again.",
	AssignTo: "Whose is it", APerson: "a person's", ADevice: "a device's", RetryIt: "Retry",
	RetryDoes: "Retry: tell it again, as it is here.", AcceptIt: "Accept", AcceptDoes: "Accept: the other story is right, and counts here, too.", DoubtDoes: "Accept: it is as it is here. Otherwise return it or give it, on its page.",
	DropIt: "Drop", DropDoes: "Drop: never tell it. The note is kept.", HereIs: "Here", ThereIs: "In the directory",
	Why: "Why", ToDo: "What to do", AtPlace: "for %s", LookAt: "Page of the device",
	MissingPart: "%s has it", WaitsGone: "%s events wait for a place that is no longer in the configuration",
	Stations:   "Stations",
	BadRows:    "Download these rows",
	EnrolTitle: "Enrol", NameOf: "Whose tag is it", ShowTag: "Wait for the tag", BumpNow: "Bump the tag of %s now", HasTag: "%s has its tag", UndoIt: "Undo", Undone: "The tag of %s was taken away again", NotShown: "No tag was shown for %s", Reload: "Reload",
	Days:    [12]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
	Months:  [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	OfMonth: "%s ", InDays: "%s d",
	Kinds: Dict{
		{"checkout", "taken"}, {"return", "returned"}, {"handover", "handed over"}, {"extend", "extended"}, {"reserve", "reserved"}, {"cancel", "cancelled"},
		{"enrol", "enrolled"}, {"correct", "corrected"}, {"lost", "lost"}, {"found", "found"}, {"refused", "refused"}, {"retire", "out of use"},
		{"resolve", "recognised"}, {"merge", "merged"}, {"ready", "ready"}, {"remind", "reminded"}, {"notify", "told"}, {"incomplete", "incomplete"}, {"stock", "stock-taking"}, {"seen", "counted"},
	},
}

var german = Words{
	Language: "de",
	Board:    "Übersicht", My: "Meine Geräte", Devices: "Geräte", People: "Leute", LogIn: "Anmelden", LogOut: "Abmelden", Skip: "Zum Inhalt",
	WhoHasWhat: "Wer hat was", Out: "verliehen", Overdue: "überfällig", DueSoon: "bald fällig", Free: "frei", All: "alle",
	Device: "Gerät", Person: "Person", Since: "Seit", Due: "Fällig", Kind: "Art", State: "Stand", Kit: "Teil von",
	Parts: "Teile", InIt: "dabei", Missing: "fehlt", NotBack: "Kam nicht mit zurück",
	Find: "Gerät oder Person suchen", LabAway: "Das Labor ist nicht zu erreichen. Von anderen Stationen ist dies der Stand von %s.", NothingOut: "Alles ist da.", NothingFound: "So heißt nichts.", NothingFree: "Nichts ist frei.", NoKind: "andere", NoHistory: "Noch ist nichts geschehen.",
	Before: "vor %s", Unknown: "unbekannt", NotOnTime: "%s zu spät", NoEnd: "ohne Ende", Doubtful: "zweifelhaft", Lost: "verloren",
	Retired: "außer Gebrauch", Suspended: "gesperrt", OutUntil: "außer Betrieb bis %s", With: "bei %s", Nobody: "Niemand hat es.",
	Return: "Zurücknehmen", Give: "Ausgeben", GiveTo: "An wen", Extend: "Verlängern", Until: "Bis", Note: "Notiz", Condition: "Zustand",
	Fine: "in Ordnung", Damaged: "beschädigt", Incomplete: "unvollständig", ReportLost: "Als verloren melden", ReportFound: "Es ist wieder da", ReportFault: "Schaden melden", WhatIsWrong: "Was ist nicht in Ordnung",
	History: "Verlauf", When: "Wann", What: "Was", Who: "Wer", Serial: "Seriennummer", Place: "Platz", Tag: "Chip", Link: "Seite der Inventarverwaltung",
	NotFound: "Diese Seite gibt es nicht", NotFoundHint: "Die Übersicht hat alles, was es gibt.", Changed: "Es hat sich inzwischen geändert. Nichts wurde gespeichert: bitte noch einmal ansehen und neu entscheiden.",
	NotConnected:   "Nicht verbunden. Die Anzeige kann alt sein; am Leser wird weiter gebucht.",
	YouHaveNothing: "Du hast nichts.", LogInHint: "Angemeldet sieht man mehr.", Badges: "Ausweise", Has: "Hat jetzt", MoreRows: "Es gibt mehr. Die Suche grenzt ein.",
	Saved: "Gespeichert.", ShowAll: "Alle zeigen", Optional: "optional", Page: "Seite", DueAt: "bis %s", ItWas: "geschah %s", MoreLinks: "Mehr", FindPerson: "Person suchen", FindDevice: "Gerät suchen",
	Import: "Importieren", LookAgain: "Noch einmal ansehen", AnotherFile: "Andere Datei", WhatIsIn: "Was in der Datei steht", CSVFile: "Eine CSV-Datei", ImportHint: "Wie eine Tabelle sie speichert, mit beliebigen Spalten. Zuerst sieht man, was sich ändern würde; behalten wird nichts davon.", LookAtIt: "Ansehen", ColumnsTitle: "Die Spalten", LeaveOut: "weglassen", NotYet: "Noch nicht: diese Zeilen berichtigen", Line: "Zeile", Added: "neu", Altered: "geändert", Unchanged: "wie zuvor",
	Reports: "Berichte", SinceText: "Seit %s", TakenTitle: "Genommen", MonthsTitle: "Monate", Times: "Male", LongestTitle: "Am längsten weg", DaysTitle: "Tage", UnusedTitle: "nie genommen", UndatedText: "%s weitere wurden genommen, als die Station die Zeit nicht kannte.",
	Audit: "Protokoll", Settings: "Einstellungen", ChangesTitle: "Von Admins und Skripten geändert, in 30 Tagen", RefusedTitle: "Nicht eingelassen", From: "Von", TokensTitle: "Tokens für Skripte", OnlyOnce: "Es wird nur dieses Mal gezeigt:", NameTitle: "Name", RoleTitle: "Rolle", UsedTitle: "Zuletzt benutzt", Revoke: "Zurückziehen", AddToken: "Token erzeugen", ConfigTitle: "Konfiguration", ConfigHint: "Wie die Datei es sagt, mit allen Vorgaben. Geändert wird es dort.",
	Calendar: "Kalender", CalendarMine: "Dein Kalenderprogramm kann zeigen, was für dich reserviert ist und wann du etwas zurückbringen musst.", CalendarDevice: "Ein Kalenderprogramm kann zeigen, für wen das reserviert ist.", CalendarHint: "Es abonniert eine geheime Adresse: Wer sie hat, liest diesen Kalender. Eine neue beendet die vorige.", NewAddress: "Adresse erzeugen",
	Labels: "Etiketten", OnASheet: "Etiketten auf einem Bogen", AlreadyGone: "Schon verbraucht", LabelHint: "Ohne Ränder und mit 100 % drucken. Ein Telefon, das einen Code liest, öffnet die Seite des Geräts.",
	Inbox: "Eingang", NothingToDo: "Nichts zu tun.", FaultsHere: "Störungen", NobodysTags: "Chips, die niemand hat",
	TwoStories: "Wer hat es?", NotTaken: "Nicht zugestellt", PartsMissing: "Fehlt im Koffer", ReservedTwice: "Doppelt reserviert", StationsDiffer: "Stationen waren uneins", UnknownBadge: "Unbekannter Ausweis %s",
	UnknownDevice: "Unbekanntes Gerät %s", UnknownTag: "Unbekannter Chip %s", SeenTimes: "%s× gezeigt", SeenLast: "zuletzt %s",
	SeenAt: "an %s", Assign: "Zuordnen", Ignore: "Ignorieren", IgnoreDoes: "Ignorieren: Er wird nicht mehr gezeigt.",
	AssignTo: "Wem gehört er", APerson: "einer Person", ADevice: "einem Gerät", RetryIt: "Noch einmal",
	RetryDoes: "Noch einmal: erneut melden, wie es hier ist.", AcceptIt: "Annehmen", AcceptDoes: "Annehmen: Die andere Seite hat recht, und es gilt auch hier.", DoubtDoes: "Annehmen: Es ist so wie hier. Sonst auf seiner Seite zurücknehmen oder ausgeben.",
	DropIt: "Verwerfen", DropDoes: "Verwerfen: nie melden. Die Notiz bleibt.", HereIs: "Hier", ThereIs: "Im Verzeichnis",
	Why: "Warum", ToDo: "Was zu tun ist", AtPlace: "für %s", LookAt: "Seite des Geräts",
	MissingPart: "%s hat es", WaitsGone: "%s Ereignisse warten auf einen Ort, der nicht mehr eingestellt ist",
	Stations:   "Stationen",
	BadRows:    "Diese Zeilen herunterladen",
	EnrolTitle: "Eintragen", NameOf: "Wessen Chip", ShowTag: "Auf den Chip warten", BumpNow: "Jetzt den Chip von %s an den Leser halten", HasTag: "%s hat seinen Chip", UndoIt: "Rückgängig", Undone: "Der Chip von %s wurde wieder weggenommen", NotShown: "Für %s wurde kein Chip gezeigt", Reload: "Neu laden",
	Days:    [12]string{"So", "Mo", "Di", "Mi", "Do", "Fr", "Sa"},
	Months:  [12]string{"Jan.", "Feb.", "März", "April", "Mai", "Juni", "Juli", "Aug.", "Sep.", "Okt.", "Nov.", "Dez."},
	OfMonth: "%s. ", InDays: "%s Tage",
	Kinds: Dict{
		{"checkout", "genommen"}, {"return", "zurück"}, {"handover", "übergeben"}, {"extend", "verlängert"}, {"reserve", "reserviert"}, {"cancel", "abgesagt"},
		{"enrol", "eingetragen"}, {"correct", "berichtigt"}, {"lost", "verloren"}, {"found", "gefunden"}, {"refused", "abgelehnt"}, {"retire", "außer Gebrauch"},
		{"resolve", "erkannt"}, {"merge", "zusammengelegt"}, {"ready", "bereit"}, {"remind", "erinnert"}, {"notify", "benachrichtigt"}, {"incomplete", "unvollständig"}, {"stock", "Inventur"}, {"seen", "gezählt"},
	},
}

var french = Words{
	Language: "fr",
	Board:    "Tableau", My: "Mes appareils", Devices: "Appareils", People: "Personnes", LogIn: "Se connecter", LogOut: "Se déconnecter", Skip: "Aller au contenu",
	WhoHasWhat: "Qui a quoi", Out: "sortis", Overdue: "en retard", DueSoon: "bientôt dus", Free: "libres", All: "tous",
	Device: "Appareil", Person: "Personne", Since: "Depuis", Due: "Retour", Kind: "Type", State: "État", Kit: "Fait partie de",
	Parts: "Pièces", InIt: "dedans", Missing: "manque", NotBack: "Pas revenu avec",
	Find: "Chercher un appareil ou une personne", LabAway: "Le labo ne répond pas. Des autres stations, voici l'état de %s.", NothingOut: "Tout est là.", NothingFound: "Rien ne s'appelle ainsi.", NothingFree: "Rien n'est libre.", NoKind: "autres", NoHistory: "Rien ne s'est encore passé.",
	Before: "avant %s", Unknown: "inconnu", NotOnTime: "%s de retard", NoEnd: "sans fin", Doubtful: "douteux", Lost: "perdu",
	Retired: "hors d'usage", Suspended: "suspendu", OutUntil: "hors service jusqu'au %s", With: "chez %s", Nobody: "Personne ne l'a.",
	Return: "Reprendre", Give: "Remettre", GiveTo: "À qui", Extend: "Prolonger", Until: "Jusqu'au", Note: "Note", Condition: "Condition",
	Fine: "en ordre", Damaged: "abîmé", Incomplete: "incomplet", ReportLost: "Signaler perdu", ReportFound: "Il est retrouvé", ReportFault: "Signaler un défaut", WhatIsWrong: "Ce qui ne va pas",
	History: "Historique", When: "Quand", What: "Quoi", Who: "Qui", Serial: "Numéro de série", Place: "Place", Tag: "Puce", Link: "Page de l'inventaire",
	NotFound: "Cette page n'existe pas", NotFoundHint: "Le tableau montre tout ce qu'il y a.", Changed: "Cela a changé entre-temps. Rien n'a été enregistré : regardez à nouveau, puis décidez.",
	NotConnected:   "Pas de connexion. L'affichage peut être ancien ; les badges comptent toujours.",
	YouHaveNothing: "Vous n'avez rien.", LogInHint: "Connectez-vous pour en voir plus.", Badges: "Badges", Has: "A maintenant", MoreRows: "Il y en a d'autres. La recherche réduit la liste.",
	Saved: "Enregistré.", ShowAll: "Tout montrer", Optional: "facultatif", Page: "Page", DueAt: "à rendre %s", ItWas: "eu lieu %s", MoreLinks: "Plus", FindPerson: "Chercher une personne", FindDevice: "Chercher un appareil",
	Import: "Importer", LookAgain: "Regarder à nouveau", AnotherFile: "Un autre fichier", WhatIsIn: "Ce que contient le fichier", CSVFile: "Un fichier CSV", ImportHint: "Tel que le tableur l'enregistre, avec ses colonnes. On voit d'abord ce qui changerait ; rien n'en est gardé.", LookAtIt: "Regarder", ColumnsTitle: "Les colonnes", LeaveOut: "laisser de côté", NotYet: "Pas encore : corrigez ces lignes", Line: "Ligne", Added: "nouveaux", Altered: "changés", Unchanged: "inchangés",
	Reports: "Rapports", SinceText: "Depuis %s", TakenTitle: "Pris", MonthsTitle: "Mois", Times: "Fois", LongestTitle: "Sortis depuis le plus longtemps", DaysTitle: "Jours", UnusedTitle: "jamais pris", UndatedText: "%s autres ont été pris quand la station ignorait l'heure.",
	Audit: "Journal", Settings: "Réglages", ChangesTitle: "Changé par admins et scripts, en 30 jours", RefusedTitle: "Refusés", From: "De", TokensTitle: "Jetons des scripts", OnlyOnce: "Il n'est montré qu'une fois :", NameTitle: "Nom", RoleTitle: "Rôle", UsedTitle: "Dernier usage", Revoke: "Révoquer", AddToken: "Créer un jeton", ConfigTitle: "Configuration", ConfigHint: "Ce que dit le fichier, avec tous les défauts. C'est là qu'on change.",
	Calendar: "Calendrier", CalendarMine: "Votre agenda peut montrer ce qui vous est réservé et quand vous devez rendre quelque chose.", CalendarDevice: "Un agenda peut montrer pour qui ceci est réservé.", CalendarHint: "Il s'abonne à une adresse secrète : qui l'a lit ce calendrier. Une nouvelle met fin à la précédente.", NewAddress: "Créer une adresse",
	Labels: "Étiquettes", OnASheet: "Étiquettes par feuille", AlreadyGone: "Déjà utilisées", LabelHint: "Imprimez sans marges, à 100 %. Un téléphone qui lit un code ouvre la page de l'appareil.",
	Inbox: "À traiter", NothingToDo: "Rien à faire.", FaultsHere: "Pannes", NobodysTags: "Puces sans propriétaire",
	TwoStories: "Qui l'a ?", NotTaken: "Non transmis", PartsMissing: "Manque à son lot", ReservedTwice: "Réservé deux fois", StationsDiffer: "Stations en désaccord", UnknownBadge: "Badge inconnu %s",
	UnknownDevice: "Appareil inconnu %s", UnknownTag: "Puce inconnue %s", SeenTimes: "montrée %s×", SeenLast: "en dernier %s",
	SeenAt: "à %s", Assign: "Attribuer", Ignore: "Ignorer", IgnoreDoes: "Ignorer : on ne la montre plus.",
	AssignTo: "À qui est-elle", APerson: "à une personne", ADevice: "à un appareil", RetryIt: "Réessayer",
	RetryDoes: "Réessayer : transmettre encore, comme c'est ici.", AcceptIt: "Accepter", AcceptDoes: "Accepter : l'autre version est juste, et vaut aussi ici.", DoubtDoes: "Accepter : c'est comme ici. Sinon, reprenez-le ou remettez-le sur sa page.",
	DropIt: "Abandonner", DropDoes: "Abandonner : ne jamais transmettre. La note reste.", HereIs: "Ici", ThereIs: "Dans l'annuaire",
	Why: "Pourquoi", ToDo: "Que faire", AtPlace: "pour %s", LookAt: "Page de l'appareil",
	MissingPart: "chez %s", WaitsGone: "%s événements attendent un lieu qui n'est plus configuré",
	Stations:   "Stations",
	BadRows:    "Télécharger ces lignes",
	EnrolTitle: "Inscrire", NameOf: "À qui est la puce", ShowTag: "Attendre la puce", BumpNow: "Présentez maintenant la puce de %s", HasTag: "%s a sa puce", UndoIt: "Annuler", Undone: "La puce de %s a été reprise", NotShown: "Aucune puce n'a été présentée pour %s", Reload: "Recharger",
	Days:    [12]string{"dim", "lun", "mar", "mer", "jeu", "ven", "sam"},
	Months:  [12]string{"janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."},
	OfMonth: "%s ", InDays: "%s jours",
	Kinds: Dict{
		{"checkout", "pris"}, {"return", "rendu"}, {"handover", "transmis"}, {"extend", "prolongé"}, {"reserve", "réservé"}, {"cancel", "annulé"},
		{"enrol", "inscrit"}, {"correct", "corrigé"}, {"lost", "perdu"}, {"found", "retrouvé"}, {"refused", "refusé"}, {"retire", "hors d'usage"},
		{"resolve", "reconnu"}, {"merge", "fusionné"}, {"ready", "prêt"}, {"remind", "rappelé"}, {"notify", "informé"}, {"incomplete", "incomplet"}, {"stock", "inventaire"}, {"seen", "compté"},
	},
}

var spanish = Words{
	Language: "es",
	Board:    "Tablero", My: "Mis equipos", Devices: "Equipos", People: "Personas", LogIn: "Entrar", LogOut: "Salir", Skip: "Ir al contenido",
	WhoHasWhat: "Quién tiene qué", Out: "prestados", Overdue: "vencidos", DueSoon: "vencen pronto", Free: "libres", All: "todos",
	Device: "Equipo", Person: "Persona", Since: "Desde", Due: "Vence", Kind: "Tipo", State: "Estado", Kit: "Parte de",
	Parts: "Piezas", InIt: "dentro", Missing: "falta", NotBack: "No volvió con él",
	Find: "Buscar un equipo o una persona", LabAway: "El laboratorio no responde. De otras estaciones, esto era así a las %s.", NothingOut: "Todo está aquí.", NothingFound: "Nada se llama así.", NothingFree: "Nada está libre.", NoKind: "otros", NoHistory: "Aún no ha pasado nada.",
	Before: "antes de %s", Unknown: "desconocido", NotOnTime: "%s de retraso", NoEnd: "sin fin", Doubtful: "dudoso", Lost: "perdido",
	Retired: "fuera de uso", Suspended: "suspendido", OutUntil: "fuera de servicio hasta %s", With: "con %s", Nobody: "Nadie lo tiene.",
	Return: "Recibir", Give: "Entregar", GiveTo: "A quién", Extend: "Prolongar", Until: "Hasta", Note: "Nota", Condition: "Condición",
	Fine: "en orden", Damaged: "dañado", Incomplete: "incompleto", ReportLost: "Declarar perdido", ReportFound: "Ha aparecido", ReportFault: "Avisar de un fallo", WhatIsWrong: "Qué le pasa",
	History: "Historia", When: "Cuándo", What: "Qué", Who: "Quién", Serial: "Número de serie", Place: "Lugar", Tag: "Etiqueta", Link: "Página del inventario",
	NotFound: "Esa página no existe", NotFoundHint: "El tablero muestra todo lo que hay.", Changed: "Ha cambiado mientras tanto. No se guardó nada: mire otra vez y decida de nuevo.",
	NotConnected:   "Sin conexión. Lo que ve puede ser antiguo; el lector sigue contando.",
	YouHaveNothing: "No tiene nada.", LogInHint: "Entre para ver más.", Badges: "Tarjetas", Has: "Tiene ahora", MoreRows: "Hay más. La búsqueda los reduce.",
	Saved: "Guardado.", ShowAll: "Mostrar todo", Optional: "opcional", Page: "Página", DueAt: "vence %s", ItWas: "ocurrió %s", MoreLinks: "Más", FindPerson: "Buscar una persona", FindDevice: "Buscar un equipo",
	Import: "Importar", LookAgain: "Mirar otra vez", AnotherFile: "Otro archivo", WhatIsIn: "Qué hay en el archivo", CSVFile: "Un archivo CSV", ImportHint: "Como lo guarda una hoja de cálculo, con cualquier columna. Primero se ve qué cambiaría; no se guarda nada.", LookAtIt: "Mirar", ColumnsTitle: "Las columnas", LeaveOut: "omitir", NotYet: "Todavía no: corrija estas líneas", Line: "Línea", Added: "nuevos", Altered: "cambiados", Unchanged: "iguales",
	Reports: "Informes", SinceText: "Desde %s", TakenTitle: "Tomados", MonthsTitle: "Meses", Times: "Veces", LongestTitle: "Fuera desde hace más tiempo", DaysTitle: "Días", UnusedTitle: "nunca tomados", UndatedText: "%s más se tomaron cuando la estación no sabía la hora.",
	Audit: "Registro", Settings: "Ajustes", ChangesTitle: "Cambiado por admins y scripts, en 30 días", RefusedTitle: "No admitidos", From: "De", TokensTitle: "Fichas de scripts", OnlyOnce: "Se muestra solo esta vez:", NameTitle: "Nombre", RoleTitle: "Papel", UsedTitle: "Último uso", Revoke: "Revocar", AddToken: "Crear una ficha", ConfigTitle: "Configuración", ConfigHint: "Lo que dice el archivo, con todo por defecto. Se cambia allí.",
	Calendar: "Calendario", CalendarMine: "Tu programa de calendario puede mostrar lo que tienes reservado y cuándo debes devolver algo.", CalendarDevice: "Un programa de calendario puede mostrar para quién está reservado esto.", CalendarHint: "Se suscribe a una dirección secreta: quien la tiene lee este calendario. Una nueva anula la anterior.", NewAddress: "Crear una dirección",
	Labels: "Etiquetas", OnASheet: "Etiquetas por hoja", AlreadyGone: "Ya usadas", LabelHint: "Imprima sin márgenes, al 100 %. Un teléfono que lee un código abre la página del equipo.",
	Inbox: "Pendientes", NothingToDo: "Nada que hacer.", FaultsHere: "Averías", NobodysTags: "Etiquetas sin dueño",
	TwoStories: "¿Quién lo tiene?", NotTaken: "No entregado", PartsMissing: "Falta en su kit", ReservedTwice: "Reservado dos veces", StationsDiffer: "Estaciones en desacuerdo", UnknownBadge: "Tarjeta desconocida %s",
	UnknownDevice: "Equipo desconocido %s", UnknownTag: "Etiqueta desconocida %s", SeenTimes: "mostrada %s×", SeenLast: "la última %s",
	SeenAt: "en %s", Assign: "Asignar", Ignore: "Ignorar", IgnoreDoes: "Ignorar: no se muestra más.",
	AssignTo: "De quién es", APerson: "de una persona", ADevice: "de un equipo", RetryIt: "Reintentar",
	RetryDoes: "Reintentar: avisar otra vez de lo que hay aquí.", AcceptIt: "Aceptar", AcceptDoes: "Aceptar: la otra versión es la buena y vale también aquí.", DoubtDoes: "Aceptar: es como aquí. Si no, recíbalo o entréguelo en su página.",
	DropIt: "Descartar", DropDoes: "Descartar: no avisar nunca. La nota se guarda.", HereIs: "Aquí", ThereIs: "En el directorio",
	Why: "Por qué", ToDo: "Qué hacer", AtPlace: "para %s", LookAt: "Página del equipo",
	MissingPart: "lo tiene %s", WaitsGone: "%s eventos esperan un lugar que ya no está configurado",
	Stations:   "Estaciones",
	BadRows:    "Descargar estas filas",
	EnrolTitle: "Inscribir", NameOf: "De quién es la etiqueta", ShowTag: "Esperar la etiqueta", BumpNow: "Acerque ahora la etiqueta de %s", HasTag: "%s tiene su etiqueta", UndoIt: "Deshacer", Undone: "La etiqueta de %s se quitó de nuevo", NotShown: "No se mostró ninguna etiqueta para %s", Reload: "Recargar",
	Days:    [12]string{"dom", "lun", "mar", "mié", "jue", "vie", "sáb"},
	Months:  [12]string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"},
	OfMonth: "%s ", InDays: "%s días",
	Kinds: Dict{
		{"checkout", "tomado"}, {"return", "devuelto"}, {"handover", "traspasado"}, {"extend", "prolongado"}, {"reserve", "reservado"}, {"cancel", "cancelado"},
		{"enrol", "inscrito"}, {"correct", "corregido"}, {"lost", "perdido"}, {"found", "encontrado"}, {"refused", "rechazado"}, {"retire", "fuera de uso"},
		{"resolve", "reconocido"}, {"merge", "unido"}, {"ready", "listo"}, {"remind", "recordado"}, {"notify", "avisado"}, {"incomplete", "incompleto"}, {"stock", "inventario"}, {"seen", "contado"},
	},
}
