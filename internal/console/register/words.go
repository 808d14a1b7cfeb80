package register

import "stump/internal/console/ui"

// Words are the texts of these pages in one language, beside those that all pages share.
type Words struct {
	*ui.Words

	ChangeIt, Change, NewPerson, NewDevice, Add, Save, StartOver, Facts                                 string
	Mail, Groups, GroupsHint, MailLanguage, OfTheStation, ByDirectory, LinkHint, ConditionHint, KitHint string
	IDHint, BadgeNumber, TagNumber, Number, NumberHint, ByNameOrID                                      string
	AddBadge, BumpIt, BumpTag, BumpInstead, FirstTag, NewTag, TagDoes                                   string
	Works, Replaced, BadgeLost, BadgeFound                                                              string
	TakesPart, Activate, Suspend, SuspendDoes, Retire, RetireDoes                                       string
	Service, TakeOut, BackIn, AddPart, PartOut                                                          string
	Merge, MergeInto, MergeDoes, TwinIs, LookAtTwin                                                     string
	Correct, Needed, ThereNow, Nothing, TypedStays, SentBefore                                          string
	DataHeld, Dossier, DossierDoes, Erase, EraseIt, EraseDoes                                           string
	Goes, GoesRow, GoesEvents, GoesLogin                                                                string
	Stays, StaysEvents, StaysBackups, StaysPlaces                                                       string
	EraseHas, TypeWord, EraseWord, OtherWord                                                            string
	Reminders, NoReminders, PastLoans, Back                                                             string
	KeptTitle, KeptHow, LogInThere, SendAgain                                                           string
}

// WordsIn are the texts in the language of a page.
func WordsIn(w *ui.Words) *Words {
	own, ok := words[w.Language]
	if !ok {
		own = words["en"]
	}
	with := *own
	with.Words = w
	return &with
}

var words = map[string]*Words{"en": &english, "de": &german, "fr": &french, "es": &spanish}

// Each on its own: the compiler lays them out, and no code has to.
var (
	english = Words{
		ChangeIt: "Change %s", Change: "Change", NewPerson: "New person", NewDevice: "New device", Add: "Add", Save: "Save", StartOver: "Start over", Facts: "What is known",
		Mail: "E-mail", Groups: "Groups", GroupsHint: "With commas between them.", MailLanguage: "Language of mails", OfTheStation: "as the station", ByDirectory: "The directory says: %s.", LinkHint: "Where assets are managed: https://…", ConditionHint: "ok, damaged or incomplete, and words: “damaged: a crack”.", KitHint: "The kit, by name or id; empty for none.",
		IDHint: "Made from the name if it is empty. It stays the same for ever.", BadgeNumber: "Number of the badge", TagNumber: "Number of the tag", Number: "Number", NumberHint: "As it is printed, such as 84:31066, or with its format: H10301:84:31066.", ByNameOrID: "By name or id.",
		AddBadge: "Add a badge", BumpIt: "Or bump it at the reader", BumpTag: "Bump its tag at the reader", BumpInstead: "Or bump one at the reader, in place of the first", FirstTag: "Give it a tag", NewTag: "Give it another tag", TagDoes: "The tag %s is lost or broken? It no longer works when there is another.",
		Works: "works", Replaced: "replaced", BadgeLost: "Report as lost", BadgeFound: "It was found",
		TakesPart: "Taking part", Activate: "Activate", Suspend: "Suspend", SuspendDoes: "They can take nothing until they are activated.", Retire: "Retire", RetireDoes: "No longer in use; the history stays. Activate is the way back.",
		Service: "Service", TakeOut: "Take out of service", BackIn: "Back in service", AddPart: "Add a part", PartOut: "Take it out of the kit",
		Merge: "Merge", MergeInto: "Into whom", MergeDoes: "%s goes. What they have, their badges and their history go over to whom you name. It can't be undone.", TwinIs: "There is another person of this name. Are they one?", LookAtTwin: "Merge them",
		Correct: "Nothing was saved. Correct this:", Needed: "This is needed.", ThereNow: "Somebody else has changed it to: %s", Nothing: "nothing", TypedStays: "What you typed is still here, and beside it what was changed meanwhile.", SentBefore: "This form was saved already. Look whether it is there; send it again to add one more.",
		DataHeld: "Data held", Dossier: "Download it", DossierDoes: "All that the station holds about this person, as a JSON file.", Erase: "Erase", EraseIt: "Erase %s", EraseDoes: "Erase this person…",
		Goes: "What goes", GoesRow: "The name, the mail address, the groups and the badges.", GoesEvents: "The name in %s events of the history, and what notes say of them.", GoesLogin: "Their logins end.",
		Stays: "What stays", StaysEvents: "The history of the devices, without the person. It still proves that nothing was changed.", StaysBackups: "Backups that were made before, until newer ones take their place.", StaysPlaces: "What the directory, webhooks and mails were told.",
		EraseHas: "They still have something. Take it back first:", TypeWord: "It can't be undone. Type “%s”", EraseWord: "erase", OtherWord: "This is another word than “%s”.",
		Reminders: "Reminders", NoReminders: "None was sent.", PastLoans: "Past loans", Back: "Returned",
		KeptTitle: "Nothing was saved yet", KeptHow: "What you typed is kept on this page. Log in in another tab, come back here, and send it again.", LogInThere: "Log in in another tab", SendAgain: "Send it again",
	}
	german = Words{
		ChangeIt: "%s ändern", Change: "Ändern", NewPerson: "Neue Person", NewDevice: "Neues Gerät", Add: "Hinzufügen", Save: "Speichern", StartOver: "Von vorn", Facts: "Was bekannt ist",
		Mail: "E-Mail", Groups: "Gruppen", GroupsHint: "Mit Kommas dazwischen.", MailLanguage: "Sprache der Mails", OfTheStation: "wie die Station", ByDirectory: "Das Verzeichnis sagt: %s.", LinkHint: "Wo das Inventar verwaltet wird: https://…", ConditionHint: "ok, damaged oder incomplete, und Worte: „damaged: ein Riss“.", KitHint: "Der Koffer, mit Name oder Id; leer für keinen.",
		IDHint: "Aus dem Namen gemacht, wenn sie leer ist. Sie bleibt für immer gleich.", BadgeNumber: "Nummer des Ausweises", TagNumber: "Nummer des Chips", Number: "Nummer", NumberHint: "Wie sie gedruckt ist, etwa 84:31066, oder mit dem Format: H10301:84:31066.", ByNameOrID: "Mit Name oder Id.",
		AddBadge: "Ausweis hinzufügen", BumpIt: "Oder an den Leser halten", BumpTag: "Chip an den Leser halten", BumpInstead: "Oder einen an den Leser halten, anstelle des ersten", FirstTag: "Chip geben", NewTag: "Anderen Chip geben", TagDoes: "Der Chip %s ist verloren oder defekt? Er gilt nicht mehr, sobald es einen anderen gibt.",
		Works: "gilt", Replaced: "ersetzt", BadgeLost: "Als verloren melden", BadgeFound: "Er ist wieder da",
		TakesPart: "Teilnahme", Activate: "Freigeben", Suspend: "Sperren", SuspendDoes: "Kann bis zur Freigabe nichts nehmen.", Retire: "Außer Gebrauch nehmen", RetireDoes: "Der Verlauf bleibt. „Freigeben“ ist der Weg zurück.",
		Service: "Betrieb", TakeOut: "Außer Betrieb nehmen", BackIn: "Wieder in Betrieb", AddPart: "Teil hinzufügen", PartOut: "Aus dem Koffer nehmen",
		Merge: "Zusammenlegen", MergeInto: "Mit wem", MergeDoes: "%s geht. Geräte, Ausweise und Verlauf gehen an die genannte Person über. Das lässt sich nicht rückgängig machen.", TwinIs: "Es gibt noch eine Person mit diesem Namen. Sind beide dieselbe?", LookAtTwin: "Zusammenlegen",
		Correct: "Nichts wurde gespeichert. Bitte berichtigen:", Needed: "Das wird gebraucht.", ThereNow: "Jemand anders hat es geändert in: %s", Nothing: "nichts", TypedStays: "Das Getippte ist noch da, und daneben steht, was sich inzwischen geändert hat.", SentBefore: "Dieses Formular wurde schon gespeichert. Bitte nachsehen, ob es da ist; noch einmal gesendet kommt eines dazu.",
		DataHeld: "Gespeicherte Daten", Dossier: "Herunterladen", DossierDoes: "Alles, was die Station über diese Person hat, als JSON-Datei.", Erase: "Löschen", EraseIt: "%s löschen", EraseDoes: "Diese Person löschen …",
		Goes: "Was verschwindet", GoesRow: "Der Name, die Mailadresse, die Gruppen und die Ausweise.", GoesEvents: "Der Name in %s Ereignissen des Verlaufs, und was Notizen darüber sagen.", GoesLogin: "Anmeldungen der Person enden.",
		Stays: "Was bleibt", StaysEvents: "Der Verlauf der Geräte, ohne die Person. Er belegt weiter, dass nichts verändert wurde.", StaysBackups: "Frühere Sicherungen, bis neuere sie ersetzen.", StaysPlaces: "Was Verzeichnis, Webhooks und Mails schon wissen.",
		EraseHas: "Die Person hat noch etwas. Bitte zuerst zurücknehmen:", TypeWord: "Das lässt sich nicht rückgängig machen. Bitte „%s“ tippen", EraseWord: "löschen", OtherWord: "Das ist ein anderes Wort als „%s“.",
		Reminders: "Erinnerungen", NoReminders: "Es gab keine.", PastLoans: "Frühere Ausleihen", Back: "Zurück",
		KeptTitle: "Noch nichts gespeichert", KeptHow: "Das Getippte bleibt auf dieser Seite. Bitte in einem anderen Tab anmelden, hierher zurückkommen und noch einmal senden.", LogInThere: "In anderem Tab anmelden", SendAgain: "Noch einmal senden",
	}
	french = Words{
		ChangeIt: "Modifier %s", Change: "Modifier", NewPerson: "Nouvelle personne", NewDevice: "Nouvel appareil", Add: "Ajouter", Save: "Enregistrer", StartOver: "Recommencer", Facts: "Ce qu'on sait",
		Mail: "E-mail", Groups: "Groupes", GroupsHint: "Séparés par des virgules.", MailLanguage: "Langue des mails", OfTheStation: "celle de la borne", ByDirectory: "L'annuaire dit : %s.", LinkHint: "La page d'inventaire : https://…", ConditionHint: "ok, damaged ou incomplete, puis des mots : « damaged: une fissure ».", KitHint: "Le kit, par nom ou id ; vide pour aucun.",
		IDHint: "Fait à partir du nom s'il est vide. Il reste toujours le même.", BadgeNumber: "Numéro du badge", TagNumber: "Numéro de l'étiquette", Number: "Numéro", NumberHint: "Comme il est imprimé, par exemple 84:31066, ou avec son format : H10301:84:31066.", ByNameOrID: "Par nom ou id.",
		AddBadge: "Ajouter un badge", BumpIt: "Ou le passer au lecteur", BumpTag: "Passer son étiquette au lecteur", BumpInstead: "Ou en passer un au lecteur, à la place du premier", FirstTag: "Donner une étiquette", NewTag: "Donner une autre étiquette", TagDoes: "L'étiquette %s est perdue ou cassée ? Elle ne vaut plus dès qu'il y en a une autre.",
		Works: "valable", Replaced: "remplacé", BadgeLost: "Signaler perdu", BadgeFound: "Il est retrouvé",
		TakesPart: "Participation", Activate: "Activer", Suspend: "Suspendre", SuspendDoes: "Ne peut rien prendre avant d'être activé.", Retire: "Mettre hors d'usage", RetireDoes: "L'historique reste. « Activer » est le chemin du retour.",
		Service: "Service", TakeOut: "Mettre hors service", BackIn: "Remettre en service", AddPart: "Ajouter une pièce", PartOut: "Sortir du kit",
		Merge: "Fusionner", MergeInto: "Avec qui", MergeDoes: "%s disparaît. Ses appareils, ses badges et son historique passent à la personne nommée. C'est irréversible.", TwinIs: "Il y a une autre personne de ce nom. Est-ce la même ?", LookAtTwin: "Fusionner",
		Correct: "Rien n'est enregistré. À corriger :", Needed: "C'est nécessaire.", ThereNow: "Quelqu'un d'autre l'a changé en : %s", Nothing: "rien", TypedStays: "Votre saisie est encore là, et à côté ce qui a changé entre-temps.", SentBefore: "Ce formulaire est déjà enregistré. Vérifiez qu'il y est ; renvoyez-le pour en ajouter un de plus.",
		DataHeld: "Données conservées", Dossier: "Télécharger", DossierDoes: "Tout ce que la station conserve sur cette personne, en fichier JSON.", Erase: "Effacer", EraseIt: "Effacer %s", EraseDoes: "Effacer cette personne…",
		Goes: "Ce qui disparaît", GoesRow: "Le nom, l'adresse e-mail, les groupes et les badges.", GoesEvents: "Le nom dans %s événements de l'historique, et ce qu'en disent les notes.", GoesLogin: "Ses connexions prennent fin.",
		Stays: "Ce qui reste", StaysEvents: "L'historique des appareils, sans la personne. Il prouve encore que rien n'a été changé.", StaysBackups: "Les sauvegardes d'avant, jusqu'à ce que d'autres les remplacent.", StaysPlaces: "Ce que l'annuaire, les webhooks et les e-mails ont appris.",
		EraseHas: "Cette personne a encore quelque chose. À reprendre d'abord :", TypeWord: "C'est irréversible. Tapez « %s »", EraseWord: "effacer", OtherWord: "C'est un autre mot que « %s ».",
		Reminders: "Rappels", NoReminders: "Aucun n'a été envoyé.", PastLoans: "Prêts passés", Back: "Rendu",
		KeptTitle: "Rien n'est encore enregistré", KeptHow: "Votre saisie reste sur cette page. Connectez-vous dans un autre onglet, revenez ici et renvoyez-la.", LogInThere: "Se connecter dans un autre onglet", SendAgain: "Renvoyer",
	}
	spanish = Words{
		ChangeIt: "Cambiar %s", Change: "Cambiar", NewPerson: "Persona nueva", NewDevice: "Equipo nuevo", Add: "Añadir", Save: "Guardar", StartOver: "Empezar de nuevo", Facts: "Lo que se sabe",
		Mail: "Correo", Groups: "Grupos", GroupsHint: "Separados por comas.", MailLanguage: "Idioma de los correos", OfTheStation: "el de la estación", ByDirectory: "El directorio dice: %s.", LinkHint: "La página del inventario: https://…", ConditionHint: "ok, damaged o incomplete, y palabras: «damaged: una grieta».", KitHint: "El kit, por nombre o id; vacío si no hay.",
		IDHint: "Se hace del nombre si está vacío. Queda igual para siempre.", BadgeNumber: "Número de la tarjeta", TagNumber: "Número de la etiqueta", Number: "Número", NumberHint: "Como está impreso, por ejemplo 84:31066, o con su formato: H10301:84:31066.", ByNameOrID: "Por nombre o id.",
		AddBadge: "Añadir una tarjeta", BumpIt: "O acercarla al lector", BumpTag: "Acercar su etiqueta al lector", BumpInstead: "O acercar una al lector, en lugar de la primera", FirstTag: "Darle una etiqueta", NewTag: "Darle otra etiqueta", TagDoes: "¿La etiqueta %s se perdió o se rompió? Deja de valer cuando hay otra.",
		Works: "vale", Replaced: "reemplazada", BadgeLost: "Informar de su pérdida", BadgeFound: "Ha aparecido",
		TakesPart: "Participación", Activate: "Activar", Suspend: "Suspender", SuspendDoes: "No puede tomar nada hasta que se active.", Retire: "Dar de baja", RetireDoes: "El historial queda. «Activar» es el camino de vuelta.",
		Service: "Servicio", TakeOut: "Poner fuera de servicio", BackIn: "De nuevo en servicio", AddPart: "Añadir una pieza", PartOut: "Sacar del kit",
		Merge: "Fusionar", MergeInto: "Con quién", MergeDoes: "%s desaparece. Sus equipos, tarjetas e historial pasan a quien se nombre. No se puede deshacer.", TwinIs: "Hay otra persona con este nombre. ¿Son la misma?", LookAtTwin: "Fusionar",
		Correct: "No se guardó nada. Por corregir:", Needed: "Esto hace falta.", ThereNow: "Alguien lo ha cambiado a: %s", Nothing: "nada", TypedStays: "Lo escrito sigue aquí, y al lado lo que cambió entretanto.", SentBefore: "Este formulario ya se guardó. Compruebe si está; envíelo otra vez para añadir uno más.",
		DataHeld: "Datos guardados", Dossier: "Descargar", DossierDoes: "Todo lo que la estación guarda de esta persona, en un archivo JSON.", Erase: "Borrar", EraseIt: "Borrar a %s", EraseDoes: "Borrar a esta persona…",
		Goes: "Lo que desaparece", GoesRow: "El nombre, el correo, los grupos y las tarjetas.", GoesEvents: "El nombre en %s sucesos del historial, y lo que digan las notas.", GoesLogin: "Sus sesiones terminan.",
		Stays: "Lo que queda", StaysEvents: "El historial de los equipos, sin la persona. Aún prueba que no se cambió nada.", StaysBackups: "Las copias de antes, hasta que otras las reemplacen.", StaysPlaces: "Lo que ya saben el directorio, los webhooks y los correos.",
		EraseHas: "Aún tiene algo. Hay que recogerlo antes:", TypeWord: "No se puede deshacer. Escriba «%s»", EraseWord: "borrar", OtherWord: "Es otra palabra que «%s».",
		Reminders: "Recordatorios", NoReminders: "No se envió ninguno.", PastLoans: "Préstamos pasados", Back: "Devuelto",
		KeptTitle: "Aún no se guardó nada", KeptHow: "Lo escrito queda en esta página. Inicie sesión en otra pestaña, vuelva aquí y envíelo otra vez.", LogInThere: "Iniciar sesión en otra pestaña", SendAgain: "Enviar otra vez",
	}
)
