package labels

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// TestEncode: an independent reader finds in the picture what was written.
func TestEncode(t *testing.T) {
	const text = "https://stump.lab.example:8443/devices/quest%203"
	c, err := Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	got, err := scan(draw(t, c))
	if err != nil || got != text {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Encode(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text that no code has room for")
	}
}

// draw is the picture of a code, 8 pixels a square.
func draw(t *testing.T, c Code) image.Image {
	t.Helper()
	const px = 8
	img := image.NewGray(image.Rect(0, 0, c.Size*px, c.Size*px))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(c.Path, "z"), "z") {
		var x, y, w, back int
		if _, err := fmt.Sscanf(part, "M%d %dh%dv1h-%d", &x, &y, &w, &back); err != nil || w != back {
			t.Fatalf("%q: %v", part, err)
		}
		for i := range w * px {
			for j := range px {
				img.SetGray(x*px+i, y*px+j, color.Gray{})
			}
		}
	}
	return img
}

func scan(img image.Image) (string, error) {
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", err
	}
	found, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	if err != nil {
		return "", err
	}
	return found.GetText(), nil
}
