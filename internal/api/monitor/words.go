package monitor

import (
	"fmt"
	"time"

	"stump/internal/panel"
	"stump/wiegand"
)

// KnownCards says whether the station knows what a reader's cards look like.
func KnownCards(n int) string {
	if n == wiegand.KnownCards {
		return "its cards are known"
	}
	return fmt.Sprintf("its cards are known after %d more", wiegand.KnownCards-n)
}

// Display is a display's state in words, and since when it is down.
func Display(h panel.Health) (state string, since *string) {
	if h.Up {
		return "up", nil
	}
	state = "down"
	if h.Err != nil {
		state = "down: " + h.Err.Error()
	}
	began := h.Since.Format(time.RFC3339)
	return state, &began
}
