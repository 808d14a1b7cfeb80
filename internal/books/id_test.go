package books

import (
	"strings"
	"testing"
)

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"Ann Okafor": "ann-okafor", "Zoë Ångström": "zoe-angstrom", "  Cem  Yıldız ": "cem-yildiz", "李雷": "李雷", "": "",
		"Зоя Ким": "zoia-kim", "Жюль": "zhiul", "Ελένη": "eleni", "Straße №5": "strasse-no5", "Ann 李": "ann-李", "محمد": "محمد", "💡": "",
		"とうきょう": "とうきょう", "C# & Go?": "c-go", "दीया": "दीया",
		"O'Neil, Jr.": "o-neil-jr", "iPad #3 (old)": "ipad-3-old", strings.Repeat("a", 90): strings.Repeat("a", 40),
	} {
		if got := slug(name); got != want {
			t.Errorf("slug(%q) = %q, want %q", name, got, want)
		}
	}
}
