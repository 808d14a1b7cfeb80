package ui

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var verb = regexp.MustCompile(`%[a-zA-Z]`)

// TestSay: what the station says is said in the page's language, with the names and numbers that
// were in it; what there are no words for stays English, and says so.
func TestSay(t *testing.T) {
	for _, tt := range []struct {
		w                *Words
		text, said, lang string
	}{
		{&german, `person "Zoe": not in the register`, `niemand heißt "Zoe"`, "de"},
		{&french, `the id "a b" has 70 characters: at most 64`, `l'id "a b" a 70 caractères : 64 au plus`, "fr"},
		{&spanish, "did you mean Quest (id q1) or Quest 3 (id q3)?", "¿quiso decir Quest (id q1) o Quest 3 (id q3)?", "es"},
		{&german, "Something is wrong. The likeliest cause: no power at the reader; less likely: a broken DATA1 wire.", "Etwas stimmt nicht. Die wahrscheinlichste Ursache: kein Strom am Leser; weniger wahrscheinlich: der Draht DATA1 ist unterbrochen.", "de"},
		{&french, "Something holds DATA0 (green on HID readers) down. If it stays low, look at the pin itself.", "Quelque chose tient DATA0 (green sur les lecteurs HID) à l'état bas. Si elle reste basse, regardez la broche elle-même.", "fr"},
		{&spanish, "DATA0 high, DATA1 high, 3 pulses on DATA0, 0 on DATA1 in 2 s: a card was read", "DATA0 high, DATA1 high, 3 pulsos en DATA0, 0 en DATA1 en 2 s: se leyó una tarjeta", "es"},
		{&german, "26 bits, H10301, parity OK, number …711, 3 of 3 equal, pulses 50 µs wide, 2 ms apart", "26 Bits, H10301, Parität stimmt, Nummer …711, 3 von 3 gleich, Pulse 50 µs breit, Abstand 2 ms", "de"},
		{&french, "25 bits, refused: the check bits (parity) are wrong", "25 bits, refusés : les bits de contrôle (parité) sont faux", "fr"},
		{&german, "the beeper did not come on", "Summer: ging nicht an", "de"},
		{&german, "no card was read for 2.1 days; the longest silence of the past weeks was 15 hours", "keine Karte gelesen: 2.1 Tage lang; längste Stille der letzten Wochen: 15 Stunden", "de"},
		{&spanish, "no address for hook.lab.example (DNS: no such name)", "no hay dirección para hook.lab.example (DNS: no existe ese nombre)", "es"},
		{&french, "this was a checkout, and the directory says: In", "c'était : pris, et l'annuaire dit : In", "fr"},
		{&german, "there is another Ann (ann-2); are they one? stump people merge ann ann-2", "es gibt noch jemanden namens Ann (ann-2); dieselbe Person? Dann auf ihrer Seite zusammenlegen", "de"},
		{&german, "begin again; leave the space out", "noch einmal beginnen; das Leerzeichen weglassen", "de"},
		{&german, "begin again; what nobody foresaw", "begin again; what nobody foresaw", "en"},
		{&english, "begin again", "begin again", "en"},
		{&german, "", "", "de"},
		// A name can have the words of a phrase, and marks of places.
		{&german, `person "$1 or $2": not in the register`, `niemand heißt "$1 or $2"`, "de"},
		{&german, `device "x": not in the register`, `kein Gerät heißt "x"`, "de"},
	} {
		if said, lang := tt.w.Say(tt.text); said != tt.said || lang != tt.lang {
			t.Errorf("%s in %s: %q in %s, want %q in %s", tt.text, tt.w.Language, said, lang, tt.said, tt.lang)
		}
	}
	if alert, remedy := german.Tell("the id is empty", "did you mean x?"); alert != "Die Id ist leer." || remedy != "Gemeint: x?" {
		t.Errorf("%q %q", alert, remedy)
	}
}

// TestPhrases: each has all languages and nothing that its text has no part for; it is found by
// what it is a phrase for, and no other is found before it.
func TestPhrases(t *testing.T) {
	places := regexp.MustCompile(`\$\d`)
	all := phrases()
	for i, p := range all {
		verbs := len(verb.FindAllString(p[0], -1))
		for _, text := range p {
			for _, place := range places.FindAllString(text, -1) {
				if n := int(place[1] - '0'); n < 1 || n > verbs {
					t.Errorf("%q has no part %s: %q", p[0], place, text)
				}
			}
			if text == "" || text != strings.TrimSpace(text) {
				t.Errorf("%q: %q", p[0], text)
			}
		}
		made := verb.ReplaceAllString(p[0], "xyzzy")
		if first := slices.IndexFunc(all, func(q phrase) bool { _, ok := match(q[0], made, &english); return ok }); first != i {
			t.Errorf("%q is taken for %q", made, all[first][0])
		}
	}
}

// made are phrases that the station makes of parts, so that no source has them as they are.
var made = []string{"refused: ", " already", "did you mean", "that is a ", "not in the register", "use %s", ", the header has %d", "the tag %s can't be given to", "(%s on HID readers)", " wire (%s)", "DATA%d is low all the time", "Nothing holds the pin", ", board at %d", "%d bits, refused", "; the next try is within an hour", "equal, pulses", " bits, none good", "rests low; with no card", "the two lines, and no pulses", "holds DATA", "are missing on DATA", "far shorter than a reader's"}

// TestPhrasesAreSaid: the station still says each of them. Whoever changes a text there changes
// it here, too.
func TestPhrasesAreSaid(t *testing.T) {
	var source strings.Builder
	read := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") {
			return err
		}
		text, err := os.ReadFile(path)
		source.Write(text)
		return err
	}
	for _, dir := range []string{"internal", "checkout", "directory", "hw", "wiegand"} {
		if err := filepath.WalkDir("../../../"+dir, read); err != nil {
			t.Fatal(err)
		}
	}
	all := source.String()
	for _, p := range phrases() {
		parts := verb.Split(p[0], -1)
		longest := slices.MaxFunc(parts, func(a, b string) int { return len(a) - len(b) })
		quoted := strings.ReplaceAll(longest, `"`, `\"`)
		if !strings.Contains(all, longest) && !strings.Contains(all, quoted) && !slices.ContainsFunc(made, func(part string) bool { return strings.Contains(p[0], part) }) && !status.MatchString(p[0]) {
			t.Errorf("nobody says %q any more", p[0])
		}
	}
}

// status is the title of an answer, which net/http has.
var status = regexp.MustCompile(`^[A-Z][a-z]+( [A-Z][a-z]+)*$`)

var update = flag.Bool("update", false, "pack words.txt, phrases.txt and the folder assets anew")

// TestPacked: the program has words.txt and phrases.txt, of which each row is the lines up to
// an empty one, and the files of the folder assets.
func TestPacked(t *testing.T) {
	read := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	all := map[string]string{}
	for file, lines := range map[string]int{"phrases.txt": len(phrase{}), "words.txt": 1 + len(languages)} {
		columns := make([][]string, lines)
		for row := range strings.SplitSeq(strings.TrimSpace(read(file)), "\n\n") {
			texts := strings.Split(row, "\n")
			if len(texts) != lines {
				t.Fatalf("%s: %d lines, want %d: %s", file, len(texts), lines, row)
			}
			for i, text := range texts {
				columns[i] = append(columns[i], text)
			}
		}
		all[file+".gz"] = strings.Join(slices.Concat(columns...), "\n")
	}
	entries, err := os.ReadDir("assets")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all["packed/"+e.Name()+".gz"] = read("assets/" + e.Name())
	}
	for path, text := range all {
		if *update {
			var b bytes.Buffer
			w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
			_, _ = io.WriteString(w, text)
			if err := cmp.Or(w.Close(), os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if string(unpack([]byte(read(path)))) != text {
			t.Errorf("%s is not as it is packed: go test ./internal/console/ui -update", path)
		}
	}
	if kept, err := os.ReadDir("packed"); err != nil || len(kept) != len(entries) {
		t.Errorf("%d files are packed of %d: %v", len(kept), len(entries), err)
	}
}
