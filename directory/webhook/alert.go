package webhook

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"stump/directory/call"
)

// Alert posts an alert at once: as a CloudEvent of the type stump.alert, or as a line for each
// fault.
func (h *Webhook) Alert(ctx context.Context, a call.Alert) call.Outcome {
	m, err := h.alert(a)
	if err != nil {
		return call.Outcome{Verdict: call.Refused, Reason: "the message can't be written: " + err.Error()}
	}
	return h.post(ctx, a.ID.String(), m)
}

func (h *Webhook) alert(a call.Alert) (m message, err error) {
	if chat, ok := chatFormats[h.cfg.Format]; ok {
		m.mediaType = "application/json"
		m.body, err = chat.encode(wordsOf(h.cfg.Language).alert(a, chat.safe), false)
		return m, err
	}
	event := map[string]any{
		"specversion": "1.0", "id": a.ID.String(), "source": source(a.Station), "type": "stump.alert", "datacontenttype": "application/json",
		"data": map[string][]call.Fault{"began": append([]call.Fault{}, a.Began...), "over": append([]call.Fault{}, a.Over...)},
	}
	if a.At.Trusted {
		event["time"] = a.At.Wall.Format(time.RFC3339)
	}
	m.mediaType = cloudEventsType
	m.body, err = json.Marshal(event)
	return m, err
}

// alert are the lines of an alert. A chat would show the quotes around commands as markup.
func (w *words) alert(a call.Alert, safe func(string) string) string {
	var lines []string
	line := func(words ...string) {
		lines = append(lines, safe(strings.ReplaceAll(a.Station+": "+strings.Join(words, ": "), "`", "'")))
	}
	for _, f := range a.Began {
		if f.Remedy == "" {
			line(f.What)
		} else {
			line(f.What, f.Remedy)
		}
	}
	for _, f := range a.Over {
		line(w.over, f.What)
	}
	return strings.Join(lines, "\n")
}

// source is the station as CloudEvents name it.
func source(station string) string { return "/stump/" + url.PathEscape(station) }
