package ui

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// phrase is a text of the station in the languages of the pages, in their order. The English
// one is as the station makes it, with the verbs of its format; in the others $1, $2 … are
// what stood for them. What stands for %v is a phrase, too, if there is one.
type phrase [4]string

//go:embed phrases.txt.gz
var packed []byte // phrases.txt, which a test packs by language: a board has no room for all its words

// phrases are what people meet on the pages of what the station says, unpacked when the first
// is needed.
var phrases = sync.OnceValue(func() []phrase { return columns[phrase](packed) })

// Say says in the page's language what the station says in English, and lang is the language
// that it came out in: English where there are no words for it.
func (w *Words) Say(text string) (said, lang string) {
	said, ok := w.say(text)
	if !ok {
		return text, words[0].Language
	}
	return said, w.Language
}

// Told is what Say says, where its language can't be marked.
func (w *Words) Told(text string) string {
	said, _ := w.Say(text)
	return said
}

// Tell is what is wrong and what to do about it, as sentences in the page's language.
func (w *Words) Tell(wrong, remedy string) (alert, do string) {
	return Sentence(w.Told(wrong)), Sentence(w.Told(remedy))
}

// say finds the words for a text, or for the parts of it: what is between colons and
// semicolons, and sentences.
func (w *Words) say(text string) (string, bool) {
	at := slices.IndexFunc(words, func(own *Words) bool { return own.Language == w.Language })
	if at == 0 || text == "" {
		return text, true
	}
	for _, p := range phrases() {
		if parts, ok := match(p[0], text, w); ok {
			return fillIn(p[at], parts), true
		}
	}
	for _, mark := range []string{"; ", ". ", ": "} {
		if first, rest, ok := strings.Cut(text, mark); ok {
			first, known := w.say(first)
			if rest, all := w.say(rest); known && all {
				return first + mark + rest, true
			}
		}
	}
	if sentence, ok := strings.CutSuffix(text, "."); ok {
		said, known := w.say(sentence)
		return said + ".", known
	}
	return text, false
}

// match takes a text apart by the format from which it may have been made: the parts are
// what stands for its verbs, in order, and in the language of w where they are phrases.
func match(format, text string, w *Words) (parts []string, ok bool) {
	for {
		literal, rest, verb := strings.Cut(format, "%")
		if !strings.HasPrefix(text, literal) {
			return nil, false
		}
		text = text[len(literal):]
		if !verb {
			return parts, text == ""
		}
		phrased := rest[0] == 'v'
		format = rest[1:]
		end := len(text)
		if until, _, more := strings.Cut(format, "%"); until != "" {
			if end = strings.Index(text, until); !more {
				end = len(text) - len(until)
			}
		}
		if end < 1 { // nothing stands for no name, and for no number
			return nil, false
		}
		part := text[:end]
		if phrased {
			part = w.Told(part)
		}
		parts, text = append(parts, part), text[end:]
	}
}

// fillIn puts the parts into a text.
func fillIn(text string, parts []string) string {
	var pairs []string
	for i, part := range parts {
		pairs = append(pairs, "$"+string(rune('1'+i)), part)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
