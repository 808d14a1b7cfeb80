package ledger_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/books"
)

// A bump of a badge and a device, from the register to the history.
func ExampleLedger() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	l, err := ledger.Create(filepath.Join(dir, "ledger.db"), ledger.Options{Station: "lab-1", SiteKey: make([]byte, 32)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()

	badge, tag := checkout.Tag{Bits: 26, Value: [16]byte{15: 1}}, checkout.Tag{Bits: 26, Value: [16]byte{15: 2}}
	_ = l.AddPerson(books.Person{ID: "ann", Name: "Ann Okafor"}, badge, "admin", checkout.SourceCLI)
	_ = l.AddDevice(books.Device{ID: "ipad", Name: "iPad Pro 13"}, tag, "admin", checkout.SourceCLI)

	// What the desk needs to know of a tag that was read.
	person, _ := l.Subject(badge)
	device, _ := l.Subject(tag)

	// When Complete returns without an error, the event is on the disk.
	event, err := l.Complete(checkout.Completion{Person: person, Device: device, Policy: checkout.PolicyHandover, Reader: "door"})
	fmt.Println(event.Kind, event.DeviceName, event.PersonName, err)

	for loan, err := range l.Loans(books.LoanFilter{}) {
		fmt.Println(loan.Person, "has", loan.Device, err)
	}
	report, err := l.Verify(context.Background(), ledger.VerifyOptions{})
	fmt.Println(report.Events, "events,", len(report.Faults), "faults", err)
	// Output:
	// checkout iPad Pro 13 Ann Okafor <nil>
	// Ann Okafor has iPad Pro 13 <nil>
	// 3 events, 0 faults <nil>
}
