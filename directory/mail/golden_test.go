package mail

import (
	"flag"
	"mime"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/testkit"
)

var update = flag.Bool("update", false, "rewrite the mails in testdata")

// TestMails: what people get, in each language, as text and HTML.
func TestMails(t *testing.T) {
	pixel := Loan{Device: "Pixel 9", Due: nine.AddDate(0, 0, -3).Add(9 * time.Hour), Late: true, Link: "https://stump.lab.example:8443/extend/wJ3q8dYwX2EAAAAAAAAAKgAAAABqEjxAk0s3kq2B5c9vXWk1", UID: "aa-7", Revision: 30}
	tablet := ipad()
	tablet.Link = "https://stump.lab.example:8443/extend/wJ3q8dYwX2EAAAAAAAAAKwAAAABqEjxAb1c4fq7D0e8uVxPr"
	digest := &Digest{
		Overdue:     []Late{{"Pixel 9", "Ann Okafor", pixel.Due}, {"Rigol DHO804", "Cem Yıldız", nine.AddDate(0, 0, -9)}},
		Reminded:    []string{"Ann Okafor", "Ben Lindqvist", "Cem Yıldız"},
		Unsent:      []Refused{{"Día Márquez", "smtp.lab.example refuses the address: 550 5.1.1 User unknown"}},
		Addressless: []string{"Eve Tanaka"},
	}
	notice := func(n checkout.Notice, other, parts, reader string, at time.Time) Content {
		return Content{Name: "Ann Okafor", Email: "ann@lab.example", Station: "lab-1", Notice: &Notice{n, "iPad Pro 13", parts, other, reader, at}}
	}
	wires := call.Fault{Name: "stump/line-low", What: "stump: DATA0 stays low, which should rest high", Remedy: "`stump selftest` says why"}
	backup := call.Fault{Name: "no-backup", What: "there is no new backup: no <disk>", Remedy: "mount the disk; the next try is within an hour"}
	alert := func(began, over []call.Fault) Content {
		return Content{Email: "root@lab.example", Station: "lab-1", Alert: &call.Alert{ID: aReminder().ID, Station: "lab-1", At: aReminder().At, Began: began, Over: over}}
	}
	for name, says := range map[string]Content{
		"fault": alert([]call.Fault{wires}, nil), "faults": alert([]call.Fault{wires, backup}, []call.Fault{{What: "the display does not answer"}}),
		"over": alert(nil, []call.Fault{wires}), "all-over": alert(nil, []call.Fault{wires, backup}),
		"taken": notice(checkout.NoticeTaken, "", "", "door", nine), "taken-over": notice(checkout.NoticeOver, "Ben Lindqvist", "Pen, Case", "door", nine),
		"handed-on": notice(checkout.NoticeHanded, "Ben Lindqvist", "", "", time.Time{}), "returned": notice(checkout.NoticeReturned, "", "", "", nine),
		"brought": notice(checkout.NoticeBrought, "Ben Lindqvist", "", "door", nine), "left": notice(checkout.NoticeLeft, "", "", "box", nine),
		"one": content(tablet), "two": content(pixel, tablet),
		"digest": {Email: "root@lab.example", Station: "lab-1", Digest: digest}, "calm": {Email: "root@lab.example", Station: "lab-1", Digest: &Digest{}},
	} {
		for language := range languages {
			x := open(t, Config{}, Options{Language: "es"})
			says.Language = checkout.Language(language) // the person's counts
			if says.Digest != nil || says.Alert != nil {
				x, says.Language = open(t, Config{}, Options{Language: language}), ""
			}
			x.says = says
			x.Use(func(checkout.Event) (Content, error) { return x.says, nil })
			send := func() call.Outcome { return x.deliver(t.Context(), call.Delivery{}) }
			if a := says.Alert; a != nil {
				send = func() call.Outcome { return x.Alert(t.Context(), says.Email, *a) }
			}
			if o := send(); o.Verdict != call.OK {
				t.Fatalf("%+v", o)
			}
			data := x.Mails()[0].Data
			header, all := parts(t, data)
			subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
			if err != nil {
				t.Fatal(err)
			}
			text := "Subject: " + subject + "\n\n" + all["text/plain"]
			if calendar := all["text/calendar"]; calendar != "" {
				text += "\n" + calendar
			}
			testkit.Golden(t, *update, "testdata/"+name+"."+language+".txt", text)
			testkit.Golden(t, *update, "testdata/"+name+"."+language+".html", all["text/html"])
			if strings.Contains(text+all["text/html"], "{") && !strings.Contains(all["text/html"], "{ color-scheme") || strings.Contains(text, "{") {
				t.Errorf("%s, %s: a placeholder is left:\n%s", name, language, text)
			}
		}
	}
}
