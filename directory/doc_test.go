package directory

import (
	"os"
	"strings"
	"testing"
)

// The manual's words for each fault are those that the fault tests read.
func TestDocumentedFaults(t *testing.T) {
	page, err := os.ReadFile("../docs/directory.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(page)
	for _, tc := range endpointFaults {
		if !tc.only && !strings.Contains(doc, "| "+tc.says+" |") {
			t.Errorf("%s: %q is not in the manual", tc.fault, tc.says)
		}
	}
	for _, tc := range connectionFaults {
		if !strings.Contains(doc, tc.says) {
			t.Errorf("%s: %q is not in the manual", tc.name, tc.says)
		}
	}
}
