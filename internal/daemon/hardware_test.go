package daemon

import (
	"testing"

	"stump/hw/board"
	"stump/internal/config"
)

func TestUseBoard(t *testing.T) {
	for _, tt := range []struct{ board, data0, want0 string }{
		{"bbb", config.DefaultData0, "P9_12"},
		{"bbb", "P9_23", "P9_23"},
		{"pi4", config.DefaultData0, "GPIO17"},
	} {
		b, err := board.ByKey(tt.board)
		if err != nil {
			t.Fatal(err)
		}
		cfg := &config.Config{Readers: []config.Reader{{Data0: tt.data0, Data1: config.DefaultData1}}}
		UseBoard(cfg, b)
		if got := cfg.Readers[0].Data0; got != tt.want0 {
			t.Errorf("%s: DATA0 %s becomes %s, want %s", tt.board, tt.data0, got, tt.want0)
		}
	}
}
