package panel

var spanish = map[string]string{
	"idle":          "{open}\t{clock}\n{count}\t{mark}\nPase tarjeta o aparato",
	"open":          "Abierto",
	"count-none":    "Todo está aquí",
	"count-out":     "{out} prestados",
	"count-overdue": "{out} fuera, {overdue} tarde",
	"mark":          "↑",

	"greet":        "Hola {person}\nPase el aparato",
	"log-in":       "Hola {person}\nCódigo: {number}\nPase el aparato",
	"device-free":  "{device}\nPase su tarjeta\nEstá libre",
	"device-held":  "{device}\nlo tiene {holder}\nPase su tarjeta",
	"doubtful":     "{device}\nen duda\n{holder}\nPase su tarjeta",
	"was-doubtful": "{device}\nestaba en duda\nPase a recepción",

	"lies": "{device}\nsigue en lector",

	"checked-out":  "Prestado\n{device}\n{person}",
	"returned":     "Devuelto\n{device}\n{person}",
	"returned-for": "Devuelto\n{device}\npor {from}\nlo trajo {person}",
	"handed-over":  "Traspasado\n{device}\nde {from}\na {person}",
	"pending":      "Queda anotado\n{number}\nNombre por saber",
	"enrolled":     "Etiqueta de\n{person}{device}",

	"refused":          "No es posible\n{detail}",
	"refused-handover": "Aún lo tiene\n{holder}\n{device}",
	"unknown-tag":      "Sin registrar\nOtra vez: {ended}\n{number}",
	"unknown-badge":    "Tarjeta ignota\nOtra vez: {ended}\n{number}\nAvise en recepción",
	"unknown-device":   "Aparato ignoto\n{number}\nAvise en recepción",
	"retired":          "Fuera de uso\n{device}",
	"suspended":        "Pase a recepción\nOtra vez: {ended}\n{person}\nno puede pedir",
	"lost-badge":       "Tarjeta perdida\nOtra vez: {ended}\nPase a recepción",
	"old-badge":        "Tarjeta vieja\nOtra vez: {ended}\nPase a recepción",
	"ended":            "Otra tarjeta\nOtra vez: {ended}",
	"name-unknown":     "No existe\n{detail}",
	"cancelled":        "Cancelado",

	"bad-read":       "Lectura mala\npase otra vez",
	"unknown-format": "Formato extraño\nOtra vez: {ended}\n{number} bits\nAvise en recepción",
	"cannot-save":    "No se guardó\navise por favor",
	"disk-stopped":   "No se guardó\nreiniciar equipo",
	"saving":         "Aún no guardado\nespere",
	"timeout":        "Fin del plazo\nempiece otra vez",

	"enrol-next":     "Pase la de\n{person}{device}",
	"type-name":      "Teclee su nombre\n\r{detail}_",
	"type-name-hint": "¿{person}?\n\r{detail}_",
	"type-name-tab":  "Tab: {person}\n\r{detail}_",
	"type-number":    "Número, luego #:\n\r{detail}_",

	"reader-fault": "Lector averiado\n{detail}",
	"testing":      "En prueba\nsin préstamos",
	"salvaged":     "Libro dañado\navise por favor",
	"display-code": "Teclee el código\n{number}",
	"fingerprint":  "Certificado {detail}\n{number}",
	"stopped":      "No funciona\navise por favor",
}
