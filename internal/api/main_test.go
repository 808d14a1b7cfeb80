package api_test

import (
	"fmt"
	"os"
	"testing"

	"stump/checkout/ledger"
	"stump/internal/api"
	"stump/internal/credential"
	"stump/internal/daemon"
	"stump/wiegand"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == daemon.CheckFileCommand { // daemon.CheckInChild runs this program
		if err := ledger.CheckFile(os.Args[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	status := m.Run()
	for _, fault := range api.NotDescribed() {
		fmt.Println("FAIL: not as internal/api/openapi describes it:", fault)
		status = max(status, 1)
	}
	os.Exit(status)
}

func bits(t *testing.T, card string) wiegand.Bits {
	t.Helper()
	b, err := credential.Parse(card, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
