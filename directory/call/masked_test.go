package call

import "testing"

func TestMasked(t *testing.T) {
	for _, tt := range []struct{ in, want, hook string }{
		{"", "", ""},
		{"https://lab.example", "https://lab.example", "https://lab.example"},
		{"https://lab.example/a", "https://lab.example/a", "https://lab.example/a"},
		{"https://lab.example/scim/v2", "https://lab.example/scim/v2", "https://lab.example/scim/xxxxx"},
		{"https://ann:secret@lab.example/a", "https://xxxxx@lab.example/a", "https://xxxxx@lab.example/a"},
		{"https://secret@lab.example:81", "https://xxxxx@lab.example:81", "https://xxxxx@lab.example:81"},
		{"https://a:b@c@lab.example/", "https://xxxxx@lab.example/", "https://xxxxx@lab.example/"},
		{"https://lab.example/io.php?key=secret&s={staff}&a={asset}", "https://lab.example/io.php?key=xxxxx&s={staff}&a={asset}", "https://lab.example/io.php?key=xxxxx&s={staff}&a={asset}"},
		{"https://lab.example/?flag&empty=&k=v", "https://lab.example/?flag&empty=&k=xxxxx", "https://lab.example/?flag&empty=&k=xxxxx"},
		{"https://hooks.example/services/T0/B0/secret", "https://hooks.example/services/T0/B0/secret", "https://hooks.example/services/xxxxx"},
		{"https://hooks.example/x/y?token=secret", "https://hooks.example/x/y?token=xxxxx", "https://hooks.example/x/xxxxx"},
		{"http://[::secret@x", "http://xxxxx@x", "http://xxxxx@x"},
		{"u:secret@lab.example/x", "xxxxx@lab.example/x", "xxxxx@lab.example/x"},
		{"u:secret@lab.example/x/y", "xxxxx@lab.example/x/y", "xxxxx@lab.example/x/xxxxx"},
	} {
		if got := Masked(tt.in); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
		if got := MaskedHook(tt.in); got != tt.hook {
			t.Errorf("hook %s: %s, want %s", tt.in, got, tt.hook)
		}
	}
}
