package panel

var french = map[string]string{
	"idle":          "{open}\t{clock}\n{count}\t{mark}\nPassez badge ou appareil",
	"open":          "Ouvert",
	"count-none":    "Tout est rentré",
	"count-out":     "{out} en prêt",
	"count-overdue": "{out} prêts, {overdue} tard",
	"mark":          "↑",

	"greet":        "Salut {person}\nPassez l'objet",
	"log-in":       "Salut {person}\nCode : {number}\nPassez l'objet",
	"device-free":  "{device}\nPassez le badge\nIl est libre",
	"device-held":  "{device}\nchez {holder}\nPassez le badge",
	"doubtful":     "{device}\nen doute\n{holder}\nPassez le badge",
	"was-doubtful": "{device}\nétait en doute\nVoir l'accueil",

	"lies": "{device}\nreste au lecteur",

	"checked-out":  "Emprunté\n{device}\n{person}",
	"returned":     "Rendu\n{device}\n{person}",
	"returned-for": "Rendu\n{device}\npour {from}\npar {person}",
	"handed-over":  "Transmis\n{device}\nde {from}\nà {person}",
	"pending":      "Noté, à préciser\n{number}\nNom pas encore connu",
	"enrolled":     "Badge attribué à\n{person}{device}",

	"refused":          "Impossible\n{detail}",
	"refused-handover": "Encore chez\n{holder}\n{device}",
	"unknown-tag":      "Puce inconnue\nEncore: {ended}\n{number}",
	"unknown-badge":    "Badge inconnu\nEncore: {ended}\n{number}\nVoir l'accueil",
	"unknown-device":   "Appareil inconnu\n{number}\nVoir l'accueil",
	"retired":          "Hors service\n{device}",
	"suspended":        "Voir l'accueil\nEncore: {ended}\n{person}\nne peut emprunter",
	"lost-badge":       "Badge perdu\nEncore: {ended}\nVoir l'accueil",
	"old-badge":        "Ancien badge\nEncore: {ended}\nVoir l'accueil",
	"ended":            "Un autre badge\nEncore: {ended}",
	"name-unknown":     "Nom inconnu\n{detail}",
	"cancelled":        "Annulé",

	"bad-read":       "Lecture ratée\nrepassez",
	"unknown-format": "Format inconnu\nEncore: {ended}\n{number} bits\nVoir l'accueil",
	"cannot-save":    "Pas enregistré\nvoir l'accueil",
	"disk-stopped":   "Pas enregistré\nredémarrer SVP",
	"saving":         "Pas encore écrit\npatientez",
	"timeout":        "Temps écoulé\nrecommencez",

	"enrol-next":     "Passez puce de\n{person}{device}",
	"type-name":      "Tapez votre nom:\n\r{detail}_",
	"type-name-hint": "{person} ?\n\r{detail}_",
	"type-name-tab":  "Tab: {person}\n\r{detail}_",
	"type-number":    "Numéro, puis #:\n\r{detail}_",

	"reader-fault": "Lecteur en panne\n{detail}",
	"testing":      "Test en cours\npas de prêt",
	"salvaged":     "Registre abîmé\nvoir l'accueil",
	"display-code": "Tapez ce code :\n{number}",
	"fingerprint":  "Certificat {detail}\n{number}",
	"stopped":      "Hors service\nvoir l'accueil",
}
