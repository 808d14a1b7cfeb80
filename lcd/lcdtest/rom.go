package lcdtest

import (
	"strings"
	"sync"

	"stump/lcd"
)

// The ROMs by code, from the tables in the HD44780U data sheet. They are written
// independently of the drivers' tables, which they check.
var romA00, romA02 [256]rune

func init() {
	fill := func(rom *[256]rune, from int, letters string) {
		for _, r := range letters {
			rom[from] = r
			from++
		}
	}
	for _, rom := range []*[256]rune{&romA00, &romA02} {
		for i := range rom {
			rom[i] = unused
		}
		fill(rom, 0x20, ` !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[`)
		fill(rom, 0x5d, "]^_`abcdefghijklmnopqrstuvwxyz{|}")
	}
	fill(&romA00, 0x5c, "¥")
	fill(&romA00, 0x7e, "→←")
	fill(&romA00, 0xa0, " ｡｢｣､･ｦｧｨｩｪｫｬｭｮｯｰｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝﾞ°")
	fill(&romA00, 0xe0, "αäßεµσρg√⁻j˟¢£ñöpqθ∞ΩüΣπxy千万円÷ █")
	fill(&romA02, 0x5c, `\`)
	fill(&romA02, 0x7e, "~⌂")
	for _, r := range "¡¢£¥§©ª«®°±²³µ¶·¹º»¼½¾¿" {
		romA02[r] = r
	}
	fill(&romA02, 0xc0, "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ")
}

// unused stands for letters that no driver uses.
const unused = '\uFFFD'

// drawings are the letters that the drivers draw, by their dots.
var drawings = sync.OnceValue(func() map[lcd.Bitmap]rune {
	m := map[lcd.Bitmap]rune{}
	for r := rune(0x21ff); r > 0x7f; r-- { // the first of several that look the same wins
		if b, ok := lcd.Glyph(r); ok {
			m[b] = r
		}
	}
	return m
})

// drawn returns the letter of a drawing, or a box.
func drawn(b lcd.Bitmap) rune {
	if r, ok := drawings()[b]; ok {
		return r
	}
	return '□'
}

// rows returns the cells of a display, a string a row.
func rows(s lcd.Size, cell func(row, col int) rune) []string {
	rows := make([]string, s.Rows)
	for r := range rows {
		for col := range s.Cols {
			rows[r] += string(cell(r, col))
		}
	}
	return rows
}

func join(rows []string) string {
	for i := range rows {
		rows[i] = strings.TrimRight(rows[i], " ")
	}
	return strings.TrimRight(strings.Join(rows, " / "), " /")
}
