package checkout_test

import (
	"fmt"
	"time"

	"stump/checkout"
)

// Ann bumps her badge and a device. The desk says what each tap means; whether the
// pair is a check-out or a return is decided where the loans are.
func ExampleDesk() {
	ann := checkout.Subject{Kind: checkout.KindPerson, ID: "ann", Name: "Ann Okafor", Tag: checkout.Tag{Bits: 26, Value: [16]byte{15: 1}}}
	ipad := checkout.Subject{Kind: checkout.KindDevice, ID: "ipad", Name: "iPad Pro 13", Tag: checkout.Tag{Bits: 26, Value: [16]byte{15: 2}}}

	desk := checkout.NewDesk(checkout.DeskOptions{})
	tap := func(at time.Duration, s checkout.Subject) checkout.Outcome {
		outcome := desk.Tap(at, s)
		fmt.Println(s.Name, "at", at, "→", outcome.Kind)
		return outcome
	}

	tap(10*time.Second, ann)
	tap(10300*time.Millisecond, ann) // the reader repeats itself
	pair := tap(12*time.Second, ipad)

	kind, _ := checkout.Decide(checkout.PolicyHandover, pair.Person.ID, pair.Device.Holder)
	fmt.Println(kind)
	desk.Done(checkout.Event{Kind: kind}) // once it is on the disk

	tap(20*time.Second, ann)
	_, ended := desk.Expire(80 * time.Second)
	fmt.Println("timed out:", ended)
	// Output:
	// Ann Okafor at 10s → wait-device
	// Ann Okafor at 10.3s → ignored
	// iPad Pro 13 at 12s → complete
	// checkout
	// Ann Okafor at 20s → wait-device
	// timed out: true
}
