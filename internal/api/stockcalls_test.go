package api_test

import "testing"

// TestStock is a stock-taking as scripts ask for it, with the readers of a simulated lab.
func TestStock(t *testing.T) {
	l := newLab(t, "[clock]\ntrust = \"rtc\"\n")
	l.all([]exchange{
		{"GET", "stock", "", 200, `^{"state":"none","begun":null,"ended":null,"seen":0,"rows":\[\]}\n$`},
		{"POST", "stock/finish", `{}`, 409, `"error":"refused: no stock-taking is under way","hint":"`},
		{"POST", "stock/correct", "", 409, `no stock-taking has ended`},
		{"POST", "stock/count", `{"device":"ipad"}`, 409, `no stock-taking is under way`},
		{"POST", "give", `{"device":"pixel","person":"ann"}`, 200, `checkout`},
		{"POST", "stock", `{"reader":"cellar"}`, 404, `cellar`},
		{"POST", "stock", `{"reader":"stump"}`, 200, `^{"state":"open","begun":"20.*","ended":null,"seen":0,"rows":\[{"found":"missing","device":"Fairphone 6","device_id":"fairphone","kind":"phone","place":null,"person":null,"person_id":null,"number":null},`},
		{"POST", "sim/tap", `{"card":"ipad"}`, 200, `is here`},
		{"POST", "sim/tap", `{"card":"pixel"}`, 200, `is with Ann`},
		{"POST", "sim/tap", `{"card":"H10301:99:4711"}`, 200, `Unknown tag`},
		{"POST", "stock/count", `{"device":"Quest 3S"}`, 200, `^{"device":"Quest 3S","device_id":"quest","again":false,"seen":3}\n$`},
		{"POST", "stock/count", `{"device":"quest"}`, 200, `"again":true,"seen":3}`},
		{"POST", "stock/count", `{"device":""}`, 400, `device: it is missing`},
		{"POST", "stock/count", `{"device":"toaster"}`, 404, `toaster`},
		{"POST", "stock/count", `{"person":"ann"}`, 400, `unknown field`},
		{"POST", "stock", `{}`, 200, `"state":"open",.*"seen":3,.*{"found":"here","device":"Pixel 9",.*"person":"Ann Okafor","person_id":"ann","number":null},.*{"found":"unknown","device":null,"device_id":null,.*"number":"…711"}\]}`},
		{"POST", "stock/finish", `{"correct":true}`, 200, `^{"state":"ended","begun":"20.*","ended":"20.*","seen":3,"rows":\[{"found":"unknown",.*\]}\n$`},
		{"GET", "devices/galaxy", "", 200, `"status":"lost"`},
		{"GET", "who", "", 200, `^$`},
		{"POST", "stock/correct", "", 200, `"state":"ended"`},
		{"POST", "sim/tap", `{"card":"mini"}`, 200, `is lost|Tap your badge`},
	})
}
