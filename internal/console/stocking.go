package console

import (
	"errors"
	"net/http"

	"stump/internal/api/wire"
	"stump/internal/console/stocktaking"
	"stump/internal/hint"
	"stump/internal/identity"
)

// stockRoutes are the page on which admins take stock. What its forms ask for, the API does.
func (c *Console) stockRoutes() []Route {
	return []Route{
		{"GET /stock", identity.Admin, c.stock},
		{"GET /stock.csv", identity.Admin, c.stockCSV},
		{"POST /stock/start", identity.Admin, c.stockAct("stock", wire.StartStock{})},
		{"POST /stock/count", identity.Admin, c.stockCount},
		{"POST /stock/finish", identity.Admin, c.stockAct("stock/finish", wire.FinishStock{})},
		{"POST /stock/correct", identity.Admin, c.stockAct("stock/correct", nil)},
	}
}

func (c *Console) stockView(r *http.Request) (v stocktaking.View, err error) {
	var s wire.Stock
	err = c.api(r, "GET", "stock", nil, &s)
	return stocktaking.In(c.frame(r, "/stock", stocktaking.Name), s, c.now()), err
}

func (c *Console) stock(w http.ResponseWriter, r *http.Request) error {
	v, err := c.stockView(r)
	if err != nil {
		return err
	}
	return send(w, r, http.StatusOK, stocktaking.Page(v))
}

func (c *Console) stockCSV(w http.ResponseWriter, r *http.Request) error {
	var s wire.Stock
	if err := c.api(r, "GET", "stock", nil, &s); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="stump-stock.csv"`)
	return stocktaking.WriteCSV(w, s)
}

// stockAct asks the API for something, and shows the page again.
func (c *Console) stockAct(path string, body any) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		return c.stockAsk(w, r, path, body, "")
	}
}

func (c *Console) stockCount(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	typed := r.PostForm.Get("device")
	return c.stockAsk(w, r, "stock/count", wire.Count{Device: typed}, typed)
}

func (c *Console) stockAsk(w http.ResponseWriter, r *http.Request, path string, body any, typed string) error {
	err := c.api(r, "POST", path, body, nil)
	var p *wire.CodedError
	switch {
	case err == nil:
		c.o.Changed()
		http.Redirect(w, r, "/stock?saved", http.StatusSeeOther)
		return nil
	case !errors.As(err, &p):
		return err
	}
	v, viewErr := c.stockView(r)
	if viewErr != nil {
		return viewErr
	}
	v.Typed = typed
	v.Alert, v.Remedy = v.Tell(err.Error(), strange(hint.Of(err)))
	status, _ := p.Code.Row()
	return send(w, r, status, stocktaking.Page(v))
}
