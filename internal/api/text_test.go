package api

import (
	"io"
	"strings"
	"testing"

	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/hint"
)

// TestOnlyText: JSON would put a replacement in the place of what is no UTF-8,
// and a name would be lost in silence.
func TestOnlyText(t *testing.T) {
	c := client.Local(newServer(t, newLedger(t)))
	bad, good := "Zo\xeb", "Zo\u00eb \ufffd"
	err := c.Do(t.Context(), "POST", "people", wire.PersonChange{Name: &bad}, nil)
	if err == nil || hint.Of(err) == "" {
		t.Errorf("a Latin-1 name: %v", err)
	}
	_, err = c.Stream(t.Context(), "POST", "people", nil, strings.NewReader(`{"name":"`+bad+`"}`))
	if err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("a Latin-1 name from elsewhere: %v", err)
	}
	if err := c.Do(t.Context(), "POST", "people", wire.PersonChange{Name: &good}, nil); err != nil {
		t.Fatal(err)
	}
	body, err := c.Stream(t.Context(), "GET", "people", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if b, _ := io.ReadAll(body); !strings.Contains(string(b), good) || strings.Count(string(b), "\n") != 1 {
		t.Errorf("the register has %s", b)
	}
}
