package console

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/imports"
	"stump/internal/console/ui"
	"stump/internal/hint"
)

func (c *Console) importPage(w http.ResponseWriter, r *http.Request) error {
	return send(w, r, http.StatusOK, imports.Page(imports.View{Frame: c.importFrame(r), Kind: checkout.KindDevice}))
}

func (c *Console) importFrame(r *http.Request) ui.Frame {
	return c.frame(r, "/import", func(w *ui.Words) string { return w.Import })
}

// importFile says what the import of a file would change, or imports it.
func (c *Console) importFile(w http.ResponseWriter, r *http.Request) error {
	v := imports.View{Frame: c.importFrame(r), Kind: checkout.KindDevice}
	err := c.readImport(w, r, &v)
	var several *books.BadLines
	var one *books.RowError
	switch {
	case err == nil:
		return send(w, r, http.StatusOK, imports.Page(v))
	case errors.As(err, &several), errors.As(err, &one):
		if r.PostForm.Get("do") == "bad" {
			file, err := imports.File(v.Data)
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			w.Header().Set("Content-Disposition", `attachment; filename="stump-lines.csv"`)
			return v.BadFile(w, file, several, one)
		}
		v.Wrong(several, one)
		v.Alert = v.NotYet + "."
	case hint.Of(err) != "":
		v.Alert, v.Remedy = v.Tell(err.Error(), hint.Of(err))
	default:
		return err
	}
	return send(w, r, http.StatusUnprocessableEntity, imports.Page(v))
}

func (c *Console) readImport(w http.ResponseWriter, r *http.Request, v *imports.View) error {
	r.Body = http.MaxBytesReader(w, r.Body, 2*imports.MaxFile)
	file, err := formFile(r)
	if err != nil {
		return err
	}
	if r.PostForm.Get("kind") == checkout.KindPerson.String() {
		v.Kind = checkout.KindPerson
	}
	v.Data = imports.Pack(file)
	pairs, err := v.Look(string(file), func(n int) string { return r.PostForm.Get(fmt.Sprint("column-", n)) })
	if err != nil {
		return err
	}
	result, err := c.o.Import(r, v.Kind, bytes.NewReader(file), pairs, r.PostForm.Get("do") != "import")
	switch {
	case err != nil:
		return err
	case r.PostForm.Get("do") == "import":
		v.Done, v.Data = &result, ""
		c.o.Changed()
	default:
		v.Result = &result
	}
	return nil
}

// formFile is the file of a form, chosen just now or before.
func formFile(r *http.Request) ([]byte, error) {
	err := r.ParseMultipartForm(2 * imports.MaxFile) // nothing of it is written to the disk
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, hint.Errorf("import it with: stump devices import FILE, or people", "the file has more than %d kB", imports.MaxFile>>10)
	}
	if err != nil {
		return nil, hint.Errorf("choose the file again", "the form can't be read: %w", err)
	}
	if data := r.PostForm.Get("data"); data != "" {
		return imports.File(data)
	}
	chosen, _, err := r.FormFile("file")
	if err != nil {
		return nil, hint.Errorf("choose one", "there is no file")
	}
	defer chosen.Close()
	file, err := io.ReadAll(io.LimitReader(chosen, imports.MaxFile+1))
	if err == nil && len(file) > imports.MaxFile {
		return nil, hint.Errorf("import it with: stump devices import FILE, or people", "the file has more than %d kB", imports.MaxFile>>10)
	}
	return file, err
}
