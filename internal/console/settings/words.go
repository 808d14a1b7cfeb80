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

var words = map[string]*Words{"en": &english, "de": &german, "fr": &french, "es": &spanish}

// Each on its own: the compiler lays them out, and no code has to.
var (
	english = Words{
		Sessions: "Who is logged in", Begun: "Since", Seen: "Last seen", End: "End", This: "this browser",
		Mail: "Mail", MailHint: "A test message to you, at %s.", MailTo: "Mail to", Send: "Send a test", NoMail: "No mails are sent: the configuration has no [mail] server.",
		NoAddress: "To send a test, log in as somebody who has a mail address in the register.", Step: "Step", Works: "works",
		Check: "If the station started now", Right: "The file is right.", RightHint: "What the file says now; it counts after a restart.", Wrong: "The station would not start:",
		Roles: "Roles",
		May: map[string]string{
			"board": "sees what is free, and who has what if the configuration says so", "staff": "sees who has what, and changes what is their own",
			"technician": "looks after readers, unknown tags and devices, and reads the history", "admin": "everything",
		},
	}
	german = Words{
		Sessions: "Wer angemeldet ist", Begun: "Seit", Seen: "Zuletzt", End: "Beenden", This: "dieser Browser",
		Mail: "Mail", MailHint: "Eine Testnachricht an dich, an %s.", MailTo: "Mail an", Send: "Test senden", NoMail: "Es werden keine Mails gesendet: Die Konfiguration hat keinen Server in [mail].",
		NoAddress: "Für einen Test als jemand anmelden, der im Register eine Mailadresse hat.", Step: "Schritt", Works: "geht",
		Check: "Wenn die Station jetzt startete", Right: "Die Datei ist richtig.", RightHint: "Was jetzt in der Datei steht; es gilt nach einem Neustart.", Wrong: "Die Station würde nicht starten:",
		Roles: "Rollen",
		May: map[string]string{
			"board": "sieht, was frei ist, und wer was hat, wenn die Konfiguration es erlaubt", "staff": "sieht, wer was hat, und ändert Eigenes",
			"technician": "sorgt für Leser, unbekannte Tags und Geräte und liest den Verlauf", "admin": "alles",
		},
	}
	french = Words{
		Sessions: "Qui est connecté", Begun: "Depuis", Seen: "Vu pour la dernière fois", End: "Terminer", This: "ce navigateur",
		Mail: "Courriel", MailHint: "Un message d'essai pour vous, à %s.", MailTo: "Courriel à", Send: "Envoyer un essai", NoMail: "Aucun courriel n'est envoyé : la configuration n'a pas de serveur [mail].",
		NoAddress: "Pour un essai, connectez-vous comme quelqu'un qui a une adresse dans le registre.", Step: "Étape", Works: "marche",
		Check: "Si la station démarrait maintenant", Right: "Le fichier est correct.", RightHint: "Ce que le fichier dit maintenant ; cela vaut après un redémarrage.", Wrong: "La station ne démarrerait pas :",
		Roles: "Rôles",
		May: map[string]string{
			"board": "voit ce qui est libre, et qui a quoi si la configuration le permet", "staff": "voit qui a quoi, et change ce qui est à soi",
			"technician": "s'occupe des lecteurs, des badges inconnus et des appareils, et lit l'historique", "admin": "tout",
		},
	}
	spanish = Words{
		Sessions: "Quién ha iniciado sesión", Begun: "Desde", Seen: "Última vez", End: "Terminar", This: "este navegador",
		Mail: "Correo", MailHint: "Un mensaje de prueba para usted, a %s.", MailTo: "Correo a", Send: "Enviar una prueba", NoMail: "No se envían correos: la configuración no tiene servidor [mail].",
		NoAddress: "Para una prueba, inicie sesión como alguien con dirección de correo en el registro.", Step: "Paso", Works: "funciona",
		Check: "Si la estación arrancara ahora", Right: "El archivo está bien.", RightHint: "Lo que dice el archivo ahora; vale tras reiniciar.", Wrong: "La estación no arrancaría:",
		Roles: "Roles",
		May: map[string]string{
			"board": "ve qué está libre, y quién tiene qué si la configuración lo permite", "staff": "ve quién tiene qué, y cambia lo suyo",
			"technician": "cuida lectores, etiquetas desconocidas y equipos, y lee el historial", "admin": "todo",
		},
	}
)
