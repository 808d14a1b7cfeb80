package webhook

import (
	"encoding/json"
	"strings"
	"unicode"
)

// A chat reads markup: stars, links, mentions that ring everybody's telephone.
// Names of people and devices come from elsewhere, and may contain anything. So in
// each value a character that is markup anywhere is replaced by one that looks like
// it; not all chats have a way to escape it. Slack has one for & < > alone.
var lookalikes = strings.NewReplacer("*", "＊", "~", "～", "`", "｀", "[", "［", "]", "］", "|", "｜", `\`, "＼", "@", "＠",
	"://", ":\u200b//", "www.", "www\u200b.")

var (
	anglesAlike = strings.NewReplacer("<", "＜", ">", "＞")
	anglesSlack = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
)

// harmless returns a value without line ends, markup, links and mentions.
func harmless(s string) string {
	rs := []rune(s)
	inWord := func(i int) bool { return i >= 0 && i < len(rs) && (unicode.IsLetter(rs[i]) || unicode.IsDigit(rs[i])) }
	for i, r := range rs {
		switch {
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			rs[i] = ' '
		case r == '_' && !(inWord(i-1) && inWord(i+1)): // inside a word it is none
			rs[i] = '＿'
		}
	}
	return lookalikes.Replace(string(rs))
}

// chatFormat is how a sentence is sent.
type chatFormat struct {
	safe func(string) string
	body func(text string, own bool) any // own: text is of a template
}

// The names of the formats.
const (
	cloudEvents = "cloudevents"
	slackFormat = "slack"
	teamsFormat = "teams"
	textFormat  = "text"
)

// Formats are the values of Config.Format; "" is the first.
var Formats = []string{cloudEvents, slackFormat, teamsFormat, textFormat}

var chatFormats = map[string]chatFormat{
	// Slack's incoming webhooks, and those of the servers that understand the same.
	slackFormat: {func(s string) string { return anglesSlack.Replace(harmless(s)) }, func(text string, own bool) any {
		m := map[string]any{"text": text, "unfurl_links": false, "unfurl_media": false}
		if !own {
			m["mrkdwn"] = false
		}
		return m
	}},
	// The Workflows of Teams take an Adaptive Card in a message, and nothing else since
	// the Office 365 connectors ended.
	teamsFormat: {angled, func(text string, _ bool) any {
		card := map[string]any{
			"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
			"body": []any{map[string]any{"type": "TextBlock", "text": text, "wrap": true}},
		}
		return map[string]any{"type": "message", "attachments": []any{map[string]any{
			"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card,
		}}}
	}},
	// Google Chat, Mattermost, Rocket.Chat, and scripts of one's own.
	textFormat: {angled, func(text string, _ bool) any { return map[string]any{"text": text} }},
}

func angled(s string) string { return anglesAlike.Replace(harmless(s)) }

// longest is how many characters of a text are sent: less than any chat takes.
const longest = 3000

// encode makes the body of a message.
func (c chatFormat) encode(text string, own bool) ([]byte, error) {
	if r := []rune(text); len(r) > longest {
		text = string(r[:longest-1]) + "…"
	}
	return json.Marshal(c.body(text, own))
}
