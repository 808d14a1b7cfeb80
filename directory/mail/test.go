package mail

import (
	"context"

	"stump/checkout"
	"stump/directory/call"
)

// Test sends one message that says it is a test, as c names who gets it, and says how far it
// came. ev is an event that is in no ledger: its id and time are the message's.
func (m *Mail) Test(ctx context.Context, ev checkout.Event, c Content) (steps []call.Step) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.Loans, c.Digest, c.Notice = nil, nil, nil
	msg, err := m.message(ev, c)
	if err != nil {
		return []call.Step{{Name: "recipient", Outcome: call.Outcome{Verdict: call.Refused, Reason: err.Error(), Remedy: "correct the address"}}}
	}
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	s, o := m.connect(ctx, func(step call.Step) { steps = append(steps, step) })
	if o.Verdict != call.OK {
		return steps
	}
	defer m.drop(s)
	s.wait(connectTime)
	step, err := "sender", s.Mail(msg.from)
	if err == nil {
		step, err = "recipient", s.Rcpt(msg.to)
	}
	if err != nil {
		o = s.outcome(step, err)
	} else {
		step, o = "message", s.data(msg.bytes, false)
	}
	if o.Verdict != call.OK {
		return append(steps, call.Step{Name: step, Outcome: o})
	}
	_ = s.Quit()
	return append(steps, call.Step{Name: "message", Measured: s.host + " took the message to " + msg.to})
}
