package link

import (
	"cmp"
	"strings"
)

// texts are what the pages say in a language.
type texts struct {
	language                                        string
	title, due, button, done, ended, refused, wrong string
}

var languages = map[string]*texts{
	"en": {"en", "Keep it longer", "Due {due}.", "Keep it until {due}", "You have it until {due}.",
		"It is back, or somebody else has it. There is nothing left to do.",
		"It can't be kept any longer this way. Bring it back, or ask an admin.",
		"This link is not whole. Copy all of it from the mail."},
	"de": {"de", "Länger behalten", "Zurück bis {due}.", "Behalten bis {due}", "Du hast es bis {due}.",
		"Es ist zurück, oder jemand anders hat es. Es ist nichts mehr zu tun.",
		"So lässt es sich nicht länger behalten. Bring es zurück, oder frag einen Admin.",
		"Dieser Link ist nicht vollständig. Kopiere ihn ganz aus der Mail."},
	"fr": {"fr", "Garder plus longtemps", "À rendre {due}.", "Garder jusqu'au {due}", "Vous l'avez jusqu'au {due}.",
		"Il est rendu, ou quelqu'un d'autre l'a. Il n'y a plus rien à faire.",
		"Il ne peut pas être gardé plus longtemps ainsi. Rendez-le, ou demandez à un admin.",
		"Ce lien n'est pas complet. Copiez-le en entier depuis le message."},
	"es": {"es", "Quedármelo más tiempo", "Hasta el {due}.", "Quedármelo hasta el {due}", "Lo tienes hasta el {due}.",
		"Ya está devuelto, o lo tiene otra persona. No hay nada más que hacer.",
		"No se puede alargar más así. Devuélvelo o pregunta a un admin.",
		"Este enlace no está completo. Cópialo entero del correo."},
}

func textsOf(language string) *texts { return cmp.Or(languages[language], languages["en"]) }

func fill(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }

// frame is a page: language, title, station, title, body, station.
const frame = `<!doctype html>
<html lang="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>%s – %s</title>
<link rel="stylesheet" href="/extend.css">
</head>
<body><main><h1>%s</h1>
%s<p class="foot">%s</p>
</main></body></html>
`

const style = `:root { color-scheme: light dark; --page: #f2f4f6; --card: #ffffff; --text: #1c2024; --quiet: #57606a; --line: #d5dbe1; --act: #0b57b0; --on: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --page: #16191d; --card: #20252b; --text: #eceff2; --quiet: #b4bdc7; --line: #3a424b; --act: #9cc4ff; --on: #10151b; } }
body { margin: 0; padding: 24px 12px; background: var(--page); color: var(--text); font: 100%/1.5 system-ui, sans-serif; }
main { max-width: 32rem; margin: 0 auto; padding: 24px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
h1 { margin: 0 0 16px; font-size: 1.4rem; }
h2 { margin: 0; font-size: 1.1rem; overflow-wrap: anywhere; }
p { margin: 0 0 16px; }
button { min-height: 44px; padding: 8px 20px; border: 0; border-radius: 6px; background: var(--act); color: var(--on); font: inherit; font-weight: 600; cursor: pointer; }
button:focus-visible { outline: 3px solid var(--act); outline-offset: 3px; }
[role=status], [role=alert] { font-weight: 600; }
.foot { margin: 24px 0 0; color: var(--quiet); font-size: .9rem; }
`
