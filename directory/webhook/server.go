package webhook

import (
	"context"

	"stump/directory/call"
)

// Reach tries the way to the receiver. Nothing is posted.
func (h *Webhook) Reach(ctx context.Context) []call.Step { return h.client.Reach(ctx, h.cfg.URL) }

// Server is what the newest answer says of the receiver.
func (h *Webhook) Server() call.Server { return h.client.Server() }
