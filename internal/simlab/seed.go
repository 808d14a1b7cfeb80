// Package simlab is a lab that exists only in memory: six people, twelve
// devices, and a reader whose lines they are bumped on. Everything behind the
// lines is the real station.
package simlab

import (
	"slices"
	"strings"
)

// Card is a person's badge or a device's tag.
type Card struct {
	ID, Name string
	// Detail is a person's e-mail address or a device's kind.
	Detail     string
	Credential string
}

// People are the people that the seed adds. Badges and devices differ in their
// facilities, so that a site's rules can tell them apart.
var People = []Card{
	{"ann", "Ann Okafor", "ann@lab.example", "H10301:17:31001"},
	{"ben", "Ben Lindqvist", "ben@lab.example", "H10301:17:31075"},
	{"cem", "Cem Yıldız", "cem@lab.example", "H10301:17:31149"},
	{"dia", "Día Márquez", "dia@lab.example", "H10301:17:31223"},
	{"eve", "Eve Tanaka", "eve@lab.example", "H10301:17:31297"},
	{"fay", "Fay Müller", "fay@lab.example", "H10301:17:31371"},
}

// Devices are the devices that the seed adds.
var Devices = []Card{
	{"ipad", "iPad Pro 13", "tablet", "H10301:200:8101"},
	{"mini", "iPad mini", "tablet", "H10301:200:8134"},
	{"pixel", "Pixel 9", "phone", "H10301:200:8167"},
	{"iphone", "iPhone 17", "phone", "H10301:200:8200"},
	{"galaxy", "Galaxy S26", "phone", "H10301:200:8233"},
	{"fairphone", "Fairphone 6", "phone", "H10301:200:8266"},
	{"kindle", "Kindle Scribe", "reader", "H10301:200:8299"},
	{"surface", "Surface Go 4", "laptop", "H10301:200:8332"},
	{"macbook", "MacBook Air", "laptop", "H10301:200:8365"},
	{"watch", "Apple Watch 11", "watch", "H10301:200:8398"},
	{"quest", "Quest 3S", "headset", "H10301:200:8431"},
	{"scope", "Rigol DHO804", "instrument", "H10301:200:8464"},
}

// Stranger is an unknown card, of another site.
var Stranger = Card{ID: "stranger", Name: "a stranger's card", Credential: "H10301:99:4711"}

// Find returns the seeded card with this id.
func Find(id string) (Card, bool) {
	for _, c := range slices.Concat(People, Devices) {
		if strings.EqualFold(c.ID, id) {
			return c, true
		}
	}
	return Card{}, false
}

// PeopleCSV is the seed as `stump people import` reads it.
func PeopleCSV() string { return table("id,name,email,badge", People) }

// DevicesCSV is the seed as `stump devices import` reads it.
func DevicesCSV() string { return table("id,name,kind,tag", Devices) }

// table needs no quotes: nothing seeded has a comma.
func table(header string, cards []Card) string {
	rows := []string{header}
	for _, c := range cards {
		rows = append(rows, strings.Join([]string{c.ID, c.Name, c.Detail, c.Credential}, ","))
	}
	return strings.Join(rows, "\n") + "\n"
}
