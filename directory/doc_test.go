package directory

import (
	"os"
	"strings"
	"testing"
)

// The page shows for each fault what the fault tests read.
func TestDocumentedFaults(t *testing.T) {
	page, err := os.ReadFile("../docs/directory.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(page)
	for _, tc := range endpointFaults {
		if !tc.only && !strings.Contains(doc, "| "+tc.says+" |") {
			t.Errorf("%s: %q is not on the page", tc.fault, tc.says)
		}
	}
	for _, tc := range connectionFaults {
		if !strings.Contains(doc, tc.says) {
			t.Errorf("%s: %q is not on the page", tc.name, tc.says)
		}
	}
}
