package identity

import (
	"context"
	"testing"

	"stump/internal/hint"
)

// TestMay: each role may do what the ones below it may, and nobody has the one that
// only a route has.
func TestMay(t *testing.T) {
	for _, tt := range []struct {
		p    Principal
		most Role
	}{
		{Principal{}, None},
		{Principal{Fresh: true}, None},
		{Principal{Role: Board}, Board},
		{Principal{Role: Staff, Fresh: true}, Staff},
		{Principal{Role: Technician, Fresh: true}, Technician},
		{Principal{Role: Admin}, Admin},
		{Principal{Role: Admin, Fresh: true}, FreshAdmin},
		{Principal{Role: FreshAdmin}, Admin}, // nobody has it, and it is no key
		{Process(), FreshAdmin},
		{User(1000, "ann"), FreshAdmin},
	} {
		for role := None; role <= FreshAdmin; role++ {
			if got := tt.p.May(role); got != (role <= tt.most) {
				t.Errorf("%+v may %d: %v", tt.p, role, got)
			}
		}
	}
}

func TestParseRole(t *testing.T) {
	for name, want := range map[string]Role{"board": Board, "staff": Staff, "technician": Technician, "admin": Admin} {
		if got, err := ParseRole(name); err != nil || got != want || got.String() != name {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, remedy := range map[string]string{
		"": "use board, staff, technician or admin", "none": "use board, staff, technician or admin", "Admin": `did you mean "admin"?`,
		"admn": `did you mean "admin"?`, "root": "use board, staff, technician or admin",
	} {
		if got, err := ParseRole(name); err == nil || got != None || hint.Of(err) != remedy {
			t.Errorf("%q: %v, %v (%s)", name, got, err, hint.Of(err))
		}
	}
}

// TestNobody: who was never named is nobody.
func TestNobody(t *testing.T) {
	if p := Of(context.Background()); p != (Principal{}) || p.May(Board) {
		t.Errorf("%+v", p)
	}
	ann := User(1000, "ann")
	if p := Of(With(context.Background(), ann)); p != ann {
		t.Errorf("%+v", p)
	}
}

// TestActFor: only root speaks for others.
func TestActFor(t *testing.T) {
	for p, want := range map[Principal]bool{
		{}: false, Process(): true, User(0, "root"): true, User(1000, "ann"): false, {Role: Admin, Fresh: true, ID: "token:ci"}: false,
	} {
		if p.MayActFor() != want {
			t.Errorf("%+v", p)
		}
	}
	if p := User(1234, ""); p.Name != "uid:1234" {
		t.Errorf("a user without a name is %q", p.Name)
	}
}
