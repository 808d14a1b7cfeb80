package wiegand

// table is every known format, shortest first. The facts are those of proxmark3
// (client/src/wiegand_formats.c at 1c8c3b78), restated: places count from the
// first bit sent. Where that table is known to be wrong or contradicts itself,
// the format is unverified, and Doubt says what is done here instead. Formats
// without parity can't refuse a damaged frame.
//
// limited() fields are wider than the largest number that is known to be
// issued.
var table = []*Format{
	{Name: "H10301", Len: 26, Facility: field("1-8"), Number: field("9-24"), // HID
		Parity: []Parity{even(0, "1-12"), odd(25, "13-24")}},
	{Name: "ind26", Len: 26, Facility: field("1-12"), Number: field("13-24"), // Indala
		Parity: []Parity{even(0, "1-12"), odd(25, "13-24")}},
	{Name: "ind27", Len: 27, Facility: field("0-12"), Number: field("13-26")}, // Indala
	{Name: "indasc27", Len: 27, Facility: field("9,4,6,5,0,7,19,8,10,16,24,12,22"), // Indala ASC
		Number: field("26,1,3,15,14,17,20,13,25,2,18,21,11,23")},
	{Name: "Tecom27", Len: 27, Facility: field("15,19,24,23,22,18,6,10,14,3,2"),
		Number: field("0-1,13,12,9,26,20,16-17,21,25,7-8,11,4-5")},
	{Name: "2804W", Len: 28, Facility: field("4-11"), Number: field("12-26"),
		Parity: []Parity{odd(2, "4-5,7-8,10-11,13-14,16-17,19-20,22-23,25-26"), even(0, "1-13"), odd(27, "0-26")}},
	{Name: "ind29", Len: 29, Facility: field("0-12"), Number: field("13-28")}, // Indala
	{Name: "ATSW30", Len: 30, Facility: field("1-12"), Number: field("13-28"), // ATS
		Parity: []Parity{even(0, "1-12"), odd(29, "13-28")}},
	{Name: "ADT31", Len: 31, Facility: field("1-4"), Number: field("5-27")}, // HID ADT
	{Name: "HCP32", Len: 32, Number: limited("1-24", 16383)},                // HID Check Point
	{Name: "HPP32", Len: 32, // HID Hewlett-Packard
		Doubt:    "the 29-bit card number of the published table starts at bit 13 and would need 42 bits; proxmark3 drops it when packing and pads it with zeros when unpacking; here it is the 19 bits that are there",
		Facility: field("1-12"), Number: field("13-31")},
	{Name: "Kastle", Len: 32, Facility: field("7-14"), Number: field("15-30"), Issue: field("2-6"),
		Fixed:  []Fixed{{1, 1}},
		Parity: []Parity{even(0, "1-16"), odd(31, "14-30")}},
	{Name: "Kantech", Len: 32, Facility: field("7-14"), Number: field("15-30")}, // Indala KFS
	{Name: "WIE32", Len: 32, Facility: field("4-15"), Number: field("16-31")},   // Wiegand
	{Name: "D10202", Len: 33, Facility: field("1-7"), Number: field("8-31"), // HID
		Parity: []Parity{even(0, "1-16"), odd(32, "16-31")}},
	{Name: "H10306", Len: 34, Facility: field("1-16"), Number: field("17-32"), // HID
		Parity: []Parity{even(0, "1-16"), odd(33, "17-32")}},
	{Name: "N10002", Len: 34, Facility: field("1-16"), Number: field("17-32"), // Honeywell/Northern
		Parity: []Parity{even(0, "1-16"), odd(33, "17-32")}},
	{Name: "Optus34", Len: 34, Facility: limited("22-32", 1023), Number: field("1-16")},                      // Indala Optus
	{Name: "SMP34", Len: 34, Facility: limited("1-13", 1023), Number: field("17-32"), Issue: field("14-16")}, // Cardkey Smartpass
	{Name: "BQT34", Len: 34, Facility: field("1-8"), Number: field("9-32"),
		Parity: []Parity{even(0, "1-16"), odd(33, "17-32")}},
	{Name: "C1k35s", Len: 35, Facility: field("2-13"), Number: field("14-33"), // HID Corporate 1000
		Parity: []Parity{
			even(1, "2-3,5-6,8-9,11-12,14-15,17-18,20-21,23-24,26-27,29-30,32-33"),
			odd(34, "1-2,4-5,7-8,10-11,13-14,16-17,19-20,22-23,25-26,28-29,31-32"),
			odd(0, "1-34"),
		}},
	{Name: "C15001", Len: 36, Facility: field("11-18"), Number: field("19-34"), OEM: field("1-10"), defaultOEM: 900, // HID KeyScan
		Parity: []Parity{even(0, "1-17"), odd(35, "18-34")}},
	{Name: "S12906", Len: 36, Facility: field("1-8"), Number: field("11-34"), Issue: field("9-10"), // HID Simplex
		Parity: []Parity{odd(0, "1-17"), odd(35, "17-34")}},
	{Name: "S12906b", Len: 36, Facility: field("1-8"), Number: field("11-34"), fixedFacility: 217, // HID Simplex Grinnell
		Parity: []Parity{
			odd(0, "1-2,4-5,7-8,12-13,15-16,18-19,21-22,24-25,27-28,30-31,33-34"),
			even(9, "2-3,5-6,8,11,13-14,16-17,19-20,22-23,25-26,28-29,31-32,34-35"),
			even(10, "1,3-4,6-7,11-12,14-15,17-18,20-21,23-24,26-27,29-30,32-33,35"),
		}},
	{Name: "Sie36", Len: 36, Facility: field("1-18"), Number: field("19-34"), // HID Siemens
		Parity: []Parity{
			odd(0, "1,3-4,6-7,9-10,12-13,15-16,18-19,21-22,24-25,27-28,30-31,33-34"),
			even(35, "1-2,4-5,7-8,10-11,13-14,16-17,19-20,22-23,25-26,28-29,31-32,34"),
		}},
	{Name: "H10320", Len: 37, // HID BCD
		Doubt:  "no card data seen, and published lists differ in the parity groups; proxmark3 demands bit 0 set, which leaves numbers from 80000000 up: here bit 0 is the first digit and no more",
		Number: limited("0-31", 99999999), bcd: true,
		Parity: []Parity{
			even(32, "0,4,8,12,16,20,24,28"),
			odd(33, "1,5,9,13,17,21,25,29"),
			even(34, "2,6,10,14,18,22,28,30"),
			even(35, "3,7,11,15,19,23,29,31"),
		}},
	{Name: "H10302", Len: 37, Number: field("1-35"), // HID huge ID
		Parity: []Parity{even(0, "1-18"), odd(36, "18-35")}},
	{Name: "H10304", Len: 37, Facility: field("1-16"), Number: field("17-35"), // HID
		Parity: []Parity{even(0, "1-18"), odd(36, "18-35")}},
	{Name: "P10004", Len: 37, Facility: field("1-13"), Number: field("14-31")}, // HID PCSC
	{Name: "HGen37", Len: 37, // HID Generic
		Doubt:  "proxmark3 packs bit 26 into the odd parity and checks bit 28 instead, so it refuses its own frames; here bit 26, as the pattern of the other groups says, both ways",
		Number: limited("4-35", 524287), Fixed: []Fixed{{36, 1}},
		Parity: []Parity{
			even(0, "4,8,12,16,20,24,28,32"),
			odd(2, "6,10,14,18,22,26,30,34"),
			even(3, "7,11,15,19,23,27,31,35"),
		}},
	{Name: "MDI37", Len: 37, // PointGuard MDI
		Doubt:    "42 live badges fit even parity over bits 1 to 17, not 1 to 18, and suggest a facility of 6 bits at 1 to 6 (DarkFlippers/unleashed-firmware#1158); this is the published table",
		Facility: field("3-6"), Number: field("7-35"),
		Parity: []Parity{even(0, "1-18"), odd(36, "18-35")}},
	{Name: "BQT38", Len: 38, Facility: limited("24-36", 4095), Number: limited("1-19", 262143),
		Issue:  limited("20-23", 7),
		Parity: []Parity{even(0, "1-18"), odd(37, "19-36")}},
	{Name: "ISCS", Len: 38,
		Doubt:    "proxmark3 allows 24 bits for a field of 22 and cuts larger numbers silently; here they are refused",
		Facility: field("5-14"), Number: field("15-36"), OEM: limited("1-4", 7),
		Parity: []Parity{even(0, "1-18"), odd(37, "19-36")}},
	{Name: "PW39", Len: 39, Facility: limited("1-17", 65535), Number: field("18-37"), // Pyramid
		Parity: []Parity{even(0, "1-18"), odd(38, "19-37")}},
	{Name: "P10001", Len: 40, // HID Honeywell
		Doubt:    "proxmark3 computes the checksum and the leading ones but does not insist on them; here both are checked",
		Facility: field("4-15"), Number: field("16-31"), Fixed: []Fixed{{0, 1}, {1, 1}, {2, 1}, {3, 1}}, xorBytes: 4},
	{Name: "Casi40", Len: 40, // Casi-Rusco
		Doubt:  "proxmark3 allows 40 bits for a field of 38 and cuts larger numbers silently; here they are refused",
		Number: field("1-38")},
	{Name: "Verkada40", Len: 40, Facility: field("1-10"), Number: field("11-38"),
		Parity: []Parity{even(0, "1-10"), even(39, "11-38")}},
	{Name: "BC40", Len: 40, // Bundy TimeClock
		Doubt:    "proxmark3 allows 20 bits for a field of 19 and cuts larger numbers silently; here they are refused. Only the number is protected",
		Facility: field("7-18"), Number: field("19-37"), OEM: field("0-6"),
		Parity: []Parity{odd(39, "19-37")}},
	{Name: "Defcon32", Len: 42, Facility: field("1-16"), Number: field("21-40"), Issue: field("17-20"), // Custom Defcon RFCTF
		Parity: []Parity{even(0, "2,4,6,8,10,12,14,16,18,20"), odd(41, "21,23,25,27,29,31,33,35,37,39")}},
	{Name: "H800002", Len: 46, Facility: field("1-14"), Number: field("15-44"), // HID
		Parity: []Parity{even(0, "1-44"), odd(45, "1-44")}},
	{Name: "C1k48s", Len: 48, Facility: field("2-23"), Number: field("24-46"), // HID Corporate 1000
		Parity: []Parity{
			even(1, "3-4,6-7,9-10,12-13,15-16,18-19,21-22,24-25,27-28,30-31,33-34,36-37,39-40,42-43,45-46"),
			odd(47, "2-3,5-6,8-9,11-12,14-15,17-18,20-21,23-24,26-27,29-30,32-33,35-36,38-39,41-42,44-45"),
			odd(0, "1-47"),
		}},
	{Name: "Avig56", Len: 56, Facility: field("1-20"), Number: field("21-54"), // Avigilon
		Parity: []Parity{even(0, "1-27"), odd(55, "28-54")}},
	{Name: "IR56", Len: 56, Facility: field("0-23"), Number: field("24-55")}, // Inner Range
}
