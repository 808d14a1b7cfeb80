package wiegand

// table is every known format, shortest first; places count from the first bit
// sent. Without a source of its own a row restates proxmark3
// (client/src/wiegand_formats.c at 1c8c3b78). cards are the genuine cards whose
// printed numbers it gives; a row without any is unverified. doubt says where
// sources contradict each other or cards, and what is done here. Formats without
// parity can't refuse a damaged frame.
//
// atMost() fields are wider than the largest number that is known to be
// issued.
var table = []*Format{
	{Name: "H10301", Len: 26, facility: at("1-8"), number: at("9-24"), // HID
		cards:  "21:15890 (monkeyboard/Wiegand-Protocol-Library-for-Arduino#33), 77:30211 (paulo-raca/YetAnotherArduinoWiegandLibrary#8)",
		parity: []parity{even(0, "1-12"), odd(25, "13-24")}},
	{Name: "ind26", Len: 26, facility: at("1-12"), number: at("13-24"), // Indala
		parity: []parity{even(0, "1-12"), odd(25, "13-24")}},
	{Name: "ind27", Len: 27, facility: at("0-12"), number: at("13-26")}, // Indala
	{Name: "indasc27", Len: 27, facility: at("9,4,6,5,0,7,19,8,10,16,24,12,22"), // Indala ASC
		number: at("26,1,3,15,14,17,20,13,25,2,18,21,11,23")},
	{Name: "Tecom27", Len: 27, facility: at("15,19,24,23,22,18,6,10,14,3,2"),
		number: at("0-1,13,12,9,26,20,16-17,21,25,7-8,11,4-5")},
	{Name: "2804W", Len: 28, facility: at("4-11"), number: at("12-26"),
		parity: []parity{odd(2, "4-5,7-8,10-11,13-14,16-17,19-20,22-23,25-26"), even(0, "1-13"), odd(27, "0-26")}},
	{Name: "ind29", Len: 29, facility: at("0-12"), number: at("13-28")}, // Indala
	{Name: "ATSW30", Len: 30, facility: at("1-12"), number: at("13-28"), // ATS
		parity: []parity{even(0, "1-12"), odd(29, "13-28")}},
	{Name: "ADT31", Len: 31, facility: at("1-4"), number: at("5-27")}, // HID ADT
	{Name: "HCP32", Len: 32, number: atMost("1-24", 16383)},           // HID Check Point
	{Name: "HPP32", Len: 32, // HID Hewlett-Packard
		doubt:    "the 29-bit card number of the published table starts at bit 13 and would need 42 bits; proxmark3 drops it when packing and pads it with zeros when unpacking; here it is the 19 bits that are there",
		facility: at("1-12"), number: at("13-31")},
	{Name: "Kastle", Len: 32, facility: at("7-14"), number: at("15-30"), issue: at("2-6"),
		fixed:  []fixed{{1, 1}},
		parity: []parity{even(0, "1-16"), odd(31, "14-30")}},
	{Name: "Kantech", Len: 32, facility: at("7-14"), number: at("15-30")}, // Indala KFS
	{Name: "WIE32", Len: 32, facility: at("4-15"), number: at("16-31")},   // Wiegand
	{Name: "UID32", Len: 32, number: at("0-31"), uid: true, // a tag's serial number, first byte first
		source: "Rosslare AY-T6350 manual 5.5.5; Civintec CN56 manual 6.4.4 (Wiegand 32e)"},
	{Name: "UID32LSB", Len: 32, number: at("24-31,16-23,8-15,0-7"), uid: true, // last byte first
		source: "Rosslare AY-T6350 manual 5.5.6"},
	{Name: "D10202", Len: 33, facility: at("1-7"), number: at("8-31"), // HID
		parity: []parity{even(0, "1-16"), odd(32, "16-31")}},
	{Name: "R901592C", Len: 33, facility: at("2-3"), number: at("4-30"), // RS2
		source: "accessgrid.com/tools/bit-formats/rs2-hid-f-c-3-33bit-r901592c",
		doubt:  "both parity bits cover the same bits, so one is always the other inverted; what bits 0 and 32 are is not said, and any value passes",
		parity: []parity{even(1, "2-30"), odd(31, "2-30")}},
	{Name: "H10306", Len: 34, facility: at("1-16"), number: at("17-32"), // HID, and readers of serial numbers
		cards:  "serial numbers of four MIFARE tags (jpliew/Wiegand-NG-Multi-Bit-Wiegand-Library-for-Arduino#3, reals79/wiegand-node#6)",
		parity: []parity{even(0, "1-16"), odd(33, "17-32")}},
	{Name: "N10002", Len: 34, facility: at("9-16"), number: at("17-32"), // Honeywell/Northern
		cards:  "193:45193 (RfidResearchGroup/proxmark3#1060)",
		source: "accessgrid.com/guides, HID 34bit (N1002); proxmark3 has the fields",
		doubt:  "proxmark3 has the parity of H10306, which refuses the genuine card; here nothing is checked"},
	{Name: "Optus34", Len: 34, facility: atMost("22-32", 1023), number: at("1-16")},                   // Indala Optus
	{Name: "SMP34", Len: 34, facility: atMost("1-13", 1023), number: at("17-32"), issue: at("14-16")}, // Cardkey Smartpass
	{Name: "BQT34", Len: 34, facility: at("1-8"), number: at("9-32"),
		parity: []parity{even(0, "1-16"), odd(33, "17-32")}},
	{Name: "C1k35s", Len: 35, facility: at("2-13"), number: at("14-33"), // HID Corporate 1000
		parity: []parity{
			even(1, "2-3,5-6,8-9,11-12,14-15,17-18,20-21,23-24,26-27,29-30,32-33"),
			odd(34, "1-2,4-5,7-8,10-11,13-14,16-17,19-20,22-23,25-26,28-29,31-32"),
			odd(0, "1-34"),
		}},
	{Name: "C15001", Len: 36, facility: at("11-18"), number: at("19-34"), oem: at("1-10"), defaultOEM: 900, // HID KeyScan
		parity: []parity{even(0, "1-17"), odd(35, "18-34")}},
	{Name: "GProxII36", Len: 36, facility: at("1-14"), number: at("15-34"), // Guardall G-Prox II
		cards:  "30:14489 (proxmark3 traces/lf_GProx_36_30_14489.pm3)",
		source: "proxmark3 client/src/cmdlfguard.c",
		parity: []parity{even(0, "1-17"), odd(35, "18-34")}},
	{Name: "FC16CN16", Len: 36, facility: at("1-16"), number: at("17-32"), oem: at("33-34"), // HID; sold as OEM2
		cards:  "45072:23456, 23489, 23527 and 24836 (iceman1001/proxmark3#285), 45088:18822 (Proxmark/proxmark3#978)",
		source: "iceman1001/proxmark3#285",
		parity: []parity{odd(0, "1-17"), even(35, "18-34")}},
	{Name: "Chubb36", Len: 36, facility: at("1-14"), number: at("19-34"), // Chubb
		source: "accessgrid.com/guides, Chubb 36bit"},
	{Name: "S12906", Len: 36, facility: at("1-8"), number: at("11-34"), issue: at("9-10"), // HID Simplex
		parity: []parity{odd(0, "1-17"), odd(35, "17-34")}},
	{Name: "S12906b", Len: 36, facility: at("1-8"), number: at("11-34"), fixedFacility: 217, // HID Simplex Grinnell
		parity: []parity{
			odd(0, "1-2,4-5,7-8,12-13,15-16,18-19,21-22,24-25,27-28,30-31,33-34"),
			even(9, "2-3,5-6,8,11,13-14,16-17,19-20,22-23,25-26,28-29,31-32,34-35"),
			even(10, "1,3-4,6-7,11-12,14-15,17-18,20-21,23-24,26-27,29-30,32-33,35"),
		}},
	{Name: "Sie36", Len: 36, facility: at("1-18"), number: at("19-34"), // HID Siemens
		parity: []parity{
			odd(0, "1,3-4,6-7,9-10,12-13,15-16,18-19,21-22,24-25,27-28,30-31,33-34"),
			even(35, "1-2,4-5,7-8,10-11,13-14,16-17,19-20,22-23,25-26,28-29,31-32,34"),
		}},
	{Name: "H10320", Len: 37, // HID BCD
		doubt:  "no card data seen, and published lists differ in the parity groups; proxmark3 demands bit 0 set, which leaves numbers from 80000000 up: here bit 0 is the first digit and no more",
		number: atMost("0-31", 99999999), bcd: true,
		parity: []parity{
			even(32, "0,4,8,12,16,20,24,28"),
			odd(33, "1,5,9,13,17,21,25,29"),
			even(34, "2,6,10,14,18,22,28,30"),
			even(35, "3,7,11,15,19,23,29,31"),
		}},
	{Name: "H10302", Len: 37, number: at("1-35"), // HID huge ID
		cards:  "11850046624 (flipperdevices/flipperzero-firmware#1029)",
		parity: []parity{even(0, "1-18"), odd(36, "18-35")}},
	{Name: "H10304", Len: 37, facility: at("1-16"), number: at("17-35"), // HID
		parity: []parity{even(0, "1-18"), odd(36, "18-35")}},
	{Name: "P10004", Len: 37, facility: at("1-13"), number: at("14-31"), // HID PCSC
		cards: "3133:202818, 7500:128341 and 7500:148950 (RfidResearchGroup/proxmark3#1559)"},
	{Name: "HGen37", Len: 37, // HID Generic
		doubt:  "proxmark3 packs bit 26 into the odd parity and checks bit 28 instead, so it refuses its own frames; here bit 26, as the pattern of the other groups says, both ways",
		number: atMost("4-35", 524287), fixed: []fixed{{36, 1}},
		parity: []parity{
			even(0, "4,8,12,16,20,24,28,32"),
			odd(2, "6,10,14,18,22,26,30,34"),
			even(3, "7,11,15,19,23,27,31,35"),
		}},
	{Name: "S10401", Len: 37, facility: at("1-6"), number: at("7-35"), // AMAG; PointGuard MDI
		cards:  "52 badges, as 42:268435451 (DarkFlippers/unleashed-firmware#1158)",
		source: "DarkFlippers/unleashed-firmware applications/main/lfrfid/lfrfid_hid_format.c",
		parity: []parity{even(0, "1-17"), odd(36, "18-35")}},
	{Name: "BQT38", Len: 38, facility: atMost("24-36", 4095), number: atMost("1-19", 262143),
		issue:  atMost("20-23", 7),
		parity: []parity{even(0, "1-18"), odd(37, "19-36")}},
	{Name: "ISCS", Len: 38,
		doubt:    "proxmark3 allows 24 bits for a field of 22 and cuts larger numbers silently; here they are refused",
		facility: at("5-14"), number: at("15-36"), oem: atMost("1-4", 7),
		parity: []parity{even(0, "1-18"), odd(37, "19-36")}},
	{Name: "PW39", Len: 39, facility: atMost("1-17", 65535), number: at("18-37"), // Pyramid
		parity: []parity{even(0, "1-18"), odd(38, "19-37")}},
	{Name: "P10001", Len: 40, // HID Honeywell
		doubt:    "proxmark3 computes the checksum and the leading ones but does not insist on them; here both are checked",
		facility: at("4-15"), number: at("16-31"), fixed: []fixed{{0, 1}, {1, 1}, {2, 1}, {3, 1}}, xorBytes: 4},
	{Name: "Casi40", Len: 40, // Casi-Rusco
		doubt:  "proxmark3 allows 40 bits for a field of 38 and cuts larger numbers silently; here they are refused",
		number: at("1-38")},
	{Name: "C10106", Len: 40, facility: at("2-20"), number: at("21-39"), // Casi-Rusco, as badges are printed
		cards:  "22 badges, as 195534 to 195543 (DarkFlippers/unleashed-firmware#1163)",
		source: "DarkFlippers/unleashed-firmware applications/main/lfrfid/lfrfid_casi_format.c",
		doubt:  "badges above 262143 are printed 66606 lower than the number that is sent; here it is the number that is sent",
		fixed:  []fixed{{0, 0}, {1, 0}}},
	{Name: "Verkada40", Len: 40, facility: at("1-10"), number: at("11-38"),
		parity: []parity{even(0, "1-10"), even(39, "11-38")}},
	{Name: "BC40", Len: 40, // Bundy TimeClock
		doubt:    "proxmark3 allows 20 bits for a field of 19 and cuts larger numbers silently; here they are refused. Only the number is protected",
		facility: at("7-18"), number: at("19-37"), oem: at("0-6"),
		parity: []parity{odd(39, "19-37")}},
	{Name: "W42", Len: 42, number: at("1-40"), uid: true, // EM4100
		source: "Civintec CN56 manual 6.4.7 (Wiegand 42)",
		parity: []parity{even(0, "1-20"), odd(41, "21-40")}},
	{Name: "Defcon32", Len: 42, facility: at("1-16"), number: at("21-40"), issue: at("17-20"), // Custom Defcon RFCTF
		parity: []parity{even(0, "2,4,6,8,10,12,14,16,18,20"), odd(41, "21,23,25,27,29,31,33,35,37,39")}},
	{Name: "Lenel42", Len: 42, facility: at("1-13"), number: at("14-25"), // Lenel
		source: "accessgrid.com/tools/bit-formats/lenel",
		doubt:  "the published facility is bits 0 to 13, but bit 0 is the parity; here it is bits 1 to 13",
		parity: []parity{even(0, "1-20"), odd(41, "21-40")}},
	{Name: "W44", Len: 44, number: at("0-39"), uid: true, // EM4100; the last digit is the exclusive or of the others
		source: "CDVI DGLI MWLC manual, 44-bit; Hikvision DS-K2600 manual, appendix B",
		parity: []parity{
			even(40, "0,4,8,12,16,20,24,28,32,36"),
			even(41, "1,5,9,13,17,21,25,29,33,37"),
			even(42, "2,6,10,14,18,22,26,30,34,38"),
			even(43, "3,7,11,15,19,23,27,31,35,39"),
		}},
	{Name: "H800002", Len: 46, facility: at("1-14"), number: at("15-44"), // HID
		parity: []parity{even(0, "1-44"), odd(45, "1-44")}},
	{Name: "C1k48s", Len: 48, facility: at("2-23"), number: at("24-46"), // HID Corporate 1000
		parity: []parity{
			even(1, "3-4,6-7,9-10,12-13,15-16,18-19,21-22,24-25,27-28,30-31,33-34,36-37,39-40,42-43,45-46"),
			odd(47, "2-3,5-6,8-9,11-12,14-15,17-18,20-21,23-24,26-27,29-30,32-33,35-36,38-39,41-42,44-45"),
			odd(0, "1-47"),
		}},
	{Name: "AWID50", Len: 50, facility: at("1-16"), number: at("17-48"), // AWID, RBH
		source: "proxmark3 client/src/cmdlfawid.c; IOMO FGA-2000 manual (Wiegand 50); Civintec CN56 manual 6.4.8",
		parity: []parity{even(0, "1-24"), odd(49, "25-48")}},
	{Name: "Avig56", Len: 56, facility: at("1-20"), number: at("21-54"), // Avigilon
		parity: []parity{even(0, "1-27"), odd(55, "28-54")}},
	{Name: "IR56", Len: 56, facility: at("0-23"), number: at("24-55")}, // Inner Range
	{Name: "UID56", Len: 56, number: at("0-55"), uid: true, // serial numbers of 7 bytes
		source: "accessgrid.com/tools/bit-formats/7byte-csn-56bit; Civintec CN56 manual 6.4.9"},
	{Name: "UID56LSB", Len: 56, number: at("48-55,40-47,32-39,24-31,16-23,8-15,0-7"), uid: true,
		source: "UID56 with the last byte first, as Rosslare's 32-bit reversed"},
	{Name: "W58", Len: 58, number: at("1-56"), uid: true, // 7 bytes and parity
		source: "accessgrid.com/guides, TWIC/CAC 58 bit: the same parity over the same halves",
		parity: []parity{even(0, "1-28"), odd(57, "29-56")}},
	{Name: "UID64", Len: 64, number: at("0-63"), uid: true, // serial numbers of 8 bytes
		source: "accessgrid.com/guides, 8byte iCLASS CSN 64bit"},
	{Name: "UID64LSB", Len: 64, number: at("56-63,48-55,40-47,32-39,24-31,16-23,8-15,0-7"), uid: true,
		source: "UID64 with the last byte first, as Rosslare's 32-bit reversed"},
	{Name: "W66", Len: 66, number: at("1-64"), uid: true, // 8 bytes and parity
		source: "no table found: the pattern of W42 and W58",
		parity: []parity{even(0, "1-32"), odd(65, "33-64")}},
	{Name: "PIV75", Len: 75, facility: at("15-28"), number: at("29-48"), oem: at("1-14"), issue: at("49-73"), // oem: agency; issue: expiry
		source: "accessgrid.com/tools/bit-formats/75bit-piv",
		parity: []parity{even(0, "1-37"), odd(74, "38-73")}},
}

// aliases are other names of formats.
var aliases = map[string]string{"MDI37": "S10401"}
