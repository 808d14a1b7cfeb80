package reader

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/internal/credential"
	"stump/wiegand"
)

// The simulated readers send what the decoder reads, and each fault shows as the
// fault of its name.
func TestSim(t *testing.T) {
	for _, tt := range []struct{ kind, number, layout, formats string }{
		{USB, "decimal", "us", "H10301"}, {USB, "3+5", "de", "H10301"}, {USB, "hex", "fr", "raw40"}, {USB, "decimal", "fr", "H10306"},
		{Serial, "", "", "H10301"}, {Serial, "", "", "raw32"},
	} {
		o := Options{Kind: tt.kind, Number: tt.number, Layout: tt.layout, Formats: formats(t, tt.formats)}
		card, _, _, err := Card(0x4d7603, o.Formats)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range append(Faults(tt.kind), "off") {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				s := NewSim(o, func() int64 { return int64(time.Since(start)) })
				ctx, stop := context.WithCancel(context.Background())
				var chars []Char
				done := make(chan struct{})
				go func() {
					defer close(done)
					_ = s.Run(ctx, func(c Char) { chars = append(chars, c) })
				}()
				if err := s.SetFault(fault); err != nil {
					t.Fatal(err)
				}
				if err := s.Present(card); err != nil {
					t.Fatal(err)
				}
				if s.Remaining() > time.Second || (s.Remaining() == 0) != (fault == "silent") {
					t.Errorf("%+v, %s: it takes %v", tt, fault, s.Remaining())
				}
				time.Sleep(time.Second)
				stop()
				<-done
				got := told(Decode(chars, o))
				want := map[string]string{"off": credential.String(card, o.Formats), "silent": ""}
				if w, ok := want[fault]; ok && got != w || !ok && got != fault {
					t.Errorf("%+v, %s: %s", tt, fault, got)
				}
			})
		}
	}
}

func TestSimRefuses(t *testing.T) {
	s := NewSim(Options{Kind: Serial, Formats: formats(t, "H10301")}, func() int64 { return 0 })
	bits, err := wiegand.ParseBits("0101")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Present(bits); err == nil {
		t.Error("a card of no format is shown")
	}
	if err := s.SetFault(string(FaultLayout)); err == nil || !strings.Contains(err.Error(), "off, silent, checksum") {
		t.Errorf("a serial reader with a layout: %v", err)
	}
	if s.Fault() != "" || !slices.Equal(s.Faults(), []string{"silent", "checksum"}) || s.Up() != nil || s.String() != "simulated serial reader" {
		t.Errorf("%q %q %v %s", s.Fault(), s.Faults(), s.Up(), s)
	}
}
