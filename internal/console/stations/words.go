package stations

import "stump/internal/console/ui"

// Words are the texts of these pages in one language, beside those that all pages share.
type Words struct {
	Station, Readers, Reader, Display, Clock, Ledger, Backup, Places, Certificate      string
	Troubles, AllWell, Works, Down, NewestEvent, NoBackup, BackupUpTo, Off, Own, Until string
	SelfTest, TestHint, AtReader, Start, Scope, OpenScope, ScopeHint, NeedsScript      string
	Wiring, WiringOf, Frames, NoFrames, FramesHint, FrameOf, Check, Measured           string
	Passes, Warns, Fails, LeftOut, AsFor, UnderWay, EndedEarly, End, Again             string
	Yes, No, Send, Back, Pause, Leave, Waits, Stuck, Simulated                         string
	Good, Refused, LinesOf, Lost                                                       string
	Signal, SignalHint, SignalOf, SignalTable, Week, GoodReads, BadReads, Share        string
	Faults, OthersOfLab, LastHeard, Version, Lag, Office                               string
}

// wordsIn are the texts in the language of a page.
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
		OthersOfLab: "Other stations of the lab", LastHeard: "Last heard", Version: "Version", Lag: "Changes on their way", Office: "an office of the hub",
		Station: "Station", Readers: "Readers", Reader: "Reader", Display: "Display", Clock: "Clock", Ledger: "Ledger", Backup: "Backup", Places: "Directory and webhooks", Certificate: "Web certificate",
		Troubles: "What is wrong", AllWell: "All is well.", Works: "works", Down: "down since %s", NewestEvent: "newest event %s", NoBackup: "none yet", BackupUpTo: "up to event %s", Off: "off", Own: "made here", Until: "until %s",
		SelfTest: "Self-test", TestHint: "It tests the station from the board to the ledger, and names the wire. Cards that are shown meanwhile become no loans.",
		AtReader: "I am at the reader, and answer its questions", Start: "Start the self-test",
		Scope: "Scope", OpenScope: "Watch the lines", ScopeHint: "Cards that are shown meanwhile become no loans. The lines are given back when you leave this page.", NeedsScript: "The scope needs JavaScript; `stump scope` shows the same in a terminal.",
		Wiring: "Wiring", WiringOf: "Which wire goes where at the reader %s", Frames: "Refused frames", NoFrames: "No frame was refused since the start.",
		FramesHint: "The worst since the start: a stroke for each pulse on DATA0 (above) and DATA1 (below).", FrameOf: "Pulses on DATA0 and DATA1: %s", Check: "Check", Measured: "Measured",
		Passes: "passes", Warns: "warning", Fails: "fails", LeftOut: "left out", AsFor: "As for %s above.", UnderWay: "The self-test is under way.", EndedEarly: "It ended early.", End: "End it", Again: "Test again",
		Yes: "Yes", No: "No", Send: "Send", Back: "Back to the station", Pause: "Pause", Leave: "Give the lines back", Waits: "%s waiting", Stuck: "%s stuck", Simulated: "simulated",
		Good: "good", Refused: "refused", LinesOf: "The lines of the reader %s", Lost: "The lines are no longer yours.",
		Signal: "Signal over half a year", SignalHint: "A bar is a week: how much of what the reader sent was good, and above it what was refused.", SignalOf: "Good and refused frames of the reader %s by week; the table below has the numbers", SignalTable: "As a table", Week: "Week of", GoodReads: "Good", BadReads: "Refused", Share: "Good share", Faults: "By fault",
	}
	german = Words{
		OthersOfLab: "Andere Stationen des Labors", LastHeard: "Zuletzt gehört", Version: "Version", Lag: "Änderungen unterwegs", Office: "ein Büro des Hubs",
		Station: "Station", Readers: "Leser", Reader: "Leser", Display: "Anzeige", Clock: "Uhr", Ledger: "Buch", Backup: "Sicherung", Places: "Verzeichnis und Webhooks", Certificate: "Web-Zertifikat",
		Troubles: "Was nicht stimmt", AllWell: "Alles in Ordnung.", Works: "geht", Down: "ausgefallen seit %s", NewestEvent: "neuestes Ereignis %s", NoBackup: "noch keine", BackupUpTo: "bis Ereignis %s", Off: "aus", Own: "hier gemacht", Until: "bis %s",
		SelfTest: "Selbsttest", TestHint: "Er prüft die Station von der Platine bis zum Buch und nennt den Draht. Karten, die währenddessen gezeigt werden, zählen nicht.",
		AtReader: "Ich stehe am Leser und beantworte die Fragen", Start: "Selbsttest beginnen",
		Scope: "Oszilloskop", OpenScope: "Leitungen ansehen", ScopeHint: "Karten, die währenddessen gezeigt werden, zählen nicht. Wer die Seite verlässt, gibt die Leitungen zurück.", NeedsScript: "Das Oszilloskop braucht JavaScript; `stump scope` zeigt dasselbe im Terminal.",
		Wiring: "Verdrahtung", WiringOf: "Welcher Draht am Leser %s wohin gehört", Frames: "Abgelehnte Telegramme", NoFrames: "Seit dem Start wurde keines abgelehnt.",
		FramesHint: "Die schlimmsten seit dem Start: ein Strich je Puls auf DATA0 (oben) und DATA1 (unten).", FrameOf: "Pulse auf DATA0 und DATA1: %s", Check: "Prüfung", Measured: "Gemessen",
		Passes: "besteht", Warns: "Warnung", Fails: "versagt", LeftOut: "ausgelassen", AsFor: "Wie bei %s oben.", UnderWay: "Der Selbsttest läuft.", EndedEarly: "Er endete vorzeitig.", End: "Beenden", Again: "Noch einmal prüfen",
		Yes: "Ja", No: "Nein", Send: "Senden", Back: "Zurück zur Station", Pause: "Anhalten", Leave: "Leitungen zurückgeben", Waits: "%s warten", Stuck: "%s stecken fest", Simulated: "simuliert",
		Good: "gut", Refused: "abgelehnt", LinesOf: "Die Leitungen des Lesers %s", Lost: "Die Leitungen hat jetzt jemand anders.",
		Signal: "Signal im letzten halben Jahr", SignalHint: "Ein Balken ist eine Woche: wie viel vom Leser gut ankam, und darüber, was abgelehnt wurde.", SignalOf: "Gute und abgelehnte Telegramme des Lesers %s nach Wochen; die Tabelle darunter hat die Zahlen", SignalTable: "Als Tabelle", Week: "Woche ab", GoodReads: "Gut", BadReads: "Abgelehnt", Share: "Anteil gut", Faults: "Nach Fehler",
	}
	french = Words{
		OthersOfLab: "Autres stations du labo", LastHeard: "Entendue à", Version: "Version", Lag: "Changements en route", Office: "un bureau du hub",
		Station: "Station", Readers: "Lecteurs", Reader: "Lecteur", Display: "Afficheur", Clock: "Horloge", Ledger: "Registre", Backup: "Sauvegarde", Places: "Annuaire et webhooks", Certificate: "Certificat web",
		Troubles: "Ce qui ne va pas", AllWell: "Tout va bien.", Works: "marche", Down: "en panne depuis %s", NewestEvent: "dernier événement %s", NoBackup: "aucune encore", BackupUpTo: "jusqu'à l'événement %s", Off: "désactivé", Own: "fait ici", Until: "jusqu'au %s",
		SelfTest: "Autotest", TestHint: "Il teste la station, de la carte au registre, et nomme le fil. Les cartes montrées pendant ce temps ne comptent pas.",
		AtReader: "Je suis au lecteur et je réponds aux questions", Start: "Commencer l'autotest",
		Scope: "Oscilloscope", OpenScope: "Regarder les lignes", ScopeHint: "Les cartes montrées pendant ce temps ne comptent pas. Quitter la page rend les lignes.", NeedsScript: "L'oscilloscope demande JavaScript ; `stump scope` montre la même chose dans un terminal.",
		Wiring: "Câblage", WiringOf: "Quel fil va où au lecteur %s", Frames: "Trames refusées", NoFrames: "Aucune trame refusée depuis le démarrage.",
		FramesHint: "Les pires depuis le démarrage : un trait par impulsion sur DATA0 (en haut) et DATA1 (en bas).", FrameOf: "Impulsions sur DATA0 et DATA1 : %s", Check: "Contrôle", Measured: "Mesuré",
		Passes: "réussi", Warns: "attention", Fails: "échoue", LeftOut: "omis", AsFor: "Comme pour %s plus haut.", UnderWay: "L'autotest est en cours.", EndedEarly: "Il s'est arrêté avant la fin.", End: "Arrêter", Again: "Tester à nouveau",
		Yes: "Oui", No: "Non", Send: "Envoyer", Back: "Retour à la station", Pause: "Pause", Leave: "Rendre les lignes", Waits: "%s en attente", Stuck: "%s bloqués", Simulated: "simulé",
		Good: "bonnes", Refused: "refusées", LinesOf: "Les lignes du lecteur %s", Lost: "Les lignes ne sont plus à vous.",
		Signal: "Signal sur six mois", SignalHint: "Une barre est une semaine : la part bonne de ce que le lecteur a envoyé et, au-dessus, ce qui a été refusé.", SignalOf: "Trames bonnes et refusées du lecteur %s par semaine ; le tableau dessous donne les nombres", SignalTable: "En tableau", Week: "Semaine du", GoodReads: "Bonnes", BadReads: "Refusées", Share: "Part bonne", Faults: "Par défaut",
	}
	spanish = Words{
		OthersOfLab: "Otras estaciones del laboratorio", LastHeard: "Oída por última vez", Version: "Versión", Lag: "Cambios en camino", Office: "una oficina del hub",
		Station: "Estación", Readers: "Lectores", Reader: "Lector", Display: "Pantalla", Clock: "Reloj", Ledger: "Registro", Backup: "Copia", Places: "Directorio y webhooks", Certificate: "Certificado web",
		Troubles: "Qué está mal", AllWell: "Todo está bien.", Works: "funciona", Down: "caído desde %s", NewestEvent: "último evento %s", NoBackup: "ninguna aún", BackupUpTo: "hasta el evento %s", Off: "apagado", Own: "hecho aquí", Until: "hasta %s",
		SelfTest: "Autoprueba", TestHint: "Prueba la estación, de la placa al registro, y nombra el cable. Las tarjetas que se muestren entretanto no cuentan.",
		AtReader: "Estoy en el lector y respondo a las preguntas", Start: "Empezar la autoprueba",
		Scope: "Osciloscopio", OpenScope: "Ver las líneas", ScopeHint: "Las tarjetas que se muestren entretanto no cuentan. Al dejar la página se devuelven las líneas.", NeedsScript: "El osciloscopio necesita JavaScript; `stump scope` muestra lo mismo en una terminal.",
		Wiring: "Cableado", WiringOf: "Qué cable va adónde en el lector %s", Frames: "Tramas rechazadas", NoFrames: "Ninguna trama rechazada desde el arranque.",
		FramesHint: "Las peores desde el arranque: un trazo por pulso en DATA0 (arriba) y DATA1 (abajo).", FrameOf: "Pulsos en DATA0 y DATA1: %s", Check: "Prueba", Measured: "Medido",
		Passes: "pasa", Warns: "aviso", Fails: "falla", LeftOut: "omitida", AsFor: "Como en %s, arriba.", UnderWay: "La autoprueba está en curso.", EndedEarly: "Terminó antes de tiempo.", End: "Terminar", Again: "Probar otra vez",
		Yes: "Sí", No: "No", Send: "Enviar", Back: "Volver a la estación", Pause: "Pausa", Leave: "Devolver las líneas", Waits: "%s en espera", Stuck: "%s atascados", Simulated: "simulado",
		Good: "buenas", Refused: "rechazadas", LinesOf: "Las líneas del lector %s", Lost: "Las líneas ya no son suyas.",
		Signal: "Señal de medio año", SignalHint: "Una barra es una semana: qué parte de lo que envió el lector fue buena y, encima, lo rechazado.", SignalOf: "Tramas buenas y rechazadas del lector %s por semana; la tabla de abajo tiene los números", SignalTable: "Como tabla", Week: "Semana del", GoodReads: "Buenas", BadReads: "Rechazadas", Share: "Parte buena", Faults: "Por fallo",
	}
)
