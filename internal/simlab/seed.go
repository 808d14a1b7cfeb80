// Package simlab is a lab that exists only in memory: six people, twelve
// devices, and a reader whose lines they are bumped on. Everything behind the
// lines is the real station.
package simlab

import (
	"fmt"
	"slices"
	"strings"
)

// Facilities of the seeded cards, so that a site's rules can tell them apart.
const (
	badgeFacility  = 17
	deviceFacility = 200
)

// Card is a person's badge or a device's tag.
type Card struct {
	ID, Name string
	// Detail is a person's e-mail address or a device's kind.
	Detail     string
	Credential string
}

// People are the people that the seed adds.
var People = badges(
	"ann", "Ann Okafor", "ben", "Ben Lindqvist", "cem", "Cem Yıldız",
	"dia", "Día Márquez", "eve", "Eve Tanaka", "fay", "Fay Müller",
)

// Devices are the devices that the seed adds.
var Devices = tags(
	"ipad", "iPad Pro 13", "tablet", "mini", "iPad mini", "tablet", "pixel", "Pixel 9", "phone",
	"iphone", "iPhone 17", "phone", "galaxy", "Galaxy S26", "phone", "fairphone", "Fairphone 6", "phone",
	"kindle", "Kindle Scribe", "reader", "surface", "Surface Go 4", "laptop", "macbook", "MacBook Air", "laptop",
	"watch", "Apple Watch 11", "watch", "quest", "Quest 3S", "headset", "scope", "Rigol DHO804", "instrument",
)

// Stranger is an unknown card, of another site.
var Stranger = Card{ID: "stranger", Name: "a stranger's card", Credential: "H10301:99:4711"}

func badges(list ...string) []Card {
	var cards []Card
	for i := 0; i < len(list); i += 2 {
		cards = append(cards, Card{
			ID: list[i], Name: list[i+1], Detail: list[i] + "@lab.example",
			Credential: fmt.Sprintf("H10301:%d:%d", badgeFacility, 31001+37*i),
		})
	}
	return cards
}

func tags(list ...string) []Card {
	var cards []Card
	for i := 0; i < len(list); i += 3 {
		cards = append(cards, Card{
			ID: list[i], Name: list[i+1], Detail: list[i+2],
			Credential: fmt.Sprintf("H10301:%d:%d", deviceFacility, 8101+11*i),
		})
	}
	return cards
}

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
