package books

import (
	"testing"
)

// A pending device or person has its masked number in the note, and in the
// place of its name where people read it.
func TestPendingLoan(t *testing.T) {
	for _, tt := range []struct {
		loan                 Loan
		note, device, person string
	}{
		{Loan{Device: "iPad", Person: "Ann"}, "", "iPad", "Ann"},
		{Loan{DeviceTag: "…101", Person: "Ann"}, "device …101", "device …101", "Ann"},
		{Loan{Device: "iPad", PersonTag: "…001"}, "badge …001", "iPad", "badge …001"},
		{Loan{DeviceTag: "…101", PersonTag: "…001"}, "device …101, badge …001", "device …101", "badge …001"},
	} {
		j := tt.loan.JSON()
		want(t, "pending", j.Pending, tt.note != "")
		if tt.note == "" != (j.Note == nil) || j.Note != nil && *j.Note != tt.note {
			t.Errorf("note %v, want %q", j.Note, tt.note)
		}
		want(t, "device is null", j.Device == nil, tt.loan.DeviceTag != "")
		shown := tt.loan.Shown()
		want(t, "device", shown.Device, tt.device)
		want(t, "person", shown.Person, tt.person)
	}
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}
