package station

import (
	"strings"
	"testing"
	"time"

	"stump/wiegand"
)

// TestUnknownFormat: a card that comes intact three times is no bad read but may be
// somebody's badge, which ends what waits; the log names what the configuration needs.
func TestUnknownFormat(t *testing.T) {
	const oem2 = "bits:110110000001000000100100110000110000"
	inLab(t, nil, func(l *lab) {
		l.wants("ann", "Hello ANN")
		l.wants(oem2, "Bad tag read")
		l.wants(oem2, "Bad tag read")
		time.Sleep(5 * time.Second)
		l.wants(oem2, "Unknown format Again: ANN 36 bits")
		l.wants("bits:110110000000100000101101110100000001", "Unknown format 36 bits")
		l.wants("ipad", "Tap your badge")
		l.wants("ann", "Checked out")
		log := l.log.String()
		if !strings.Contains(log, `"FC16CN16\"]`) || strings.Count(log, "unknown format") != 1 {
			t.Errorf("the log says\n%s", log)
		}
		found := false
		for _, c := range l.reader.Conditions(Machine{ClockTrusted: true}) {
			found = found || c.Name == "unknown-format" && strings.HasPrefix(c.Text, "36-bit cards come intact") && strings.HasSuffix(c.Text, `formats = ["H10301", "FC16CN16"], or with raw36`)
			if c.Name == "bad-reads" {
				t.Errorf("the wires are blamed: %s", c.Text)
			}
		}
		if !found {
			t.Error("the reader's health says nothing of it")
		}
		time.Sleep(25 * time.Hour)
		for _, c := range l.reader.Conditions(Machine{ClockTrusted: true}) {
			t.Errorf("a day later it still says %s", c.Text)
		}
	})
}

// TestNormalize: a reader that sends the same fobs as 42 bits delivers the cards of
// one that sends 26.
func TestNormalize(t *testing.T) {
	inLab(t, func(_ *Options, r *ReaderOptions) {
		w42, err := wiegand.FormatByName("W42")
		must(t, err)
		r.Formats = r.Decoder.Formats
		r.Normal, err = wiegand.ParseNormal([]string{"as H10301"}, wiegand.FormatByName)
		must(t, err)
		r.Decoder.Formats = []*wiegand.Format{w42}
		r.Badge = &wiegand.Range{Facilities: []uint64{17}}
	}, func(l *lab) {
		l.wants("W42:0x0A00110001", "Hello ANN")
		l.wants("W42:0x0A00C80001", "Checked out")
		l.holds("ipad", "ann")
		l.wants("W42:0x0A004D7603", "Unknown tag H10301:77:30211")
		l.wants("W42:0x0A00110009", "Unknown badge H10301:17:9")
	})
}
