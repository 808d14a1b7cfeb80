package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// folder is a package's folder, with all its files whatever their build tags.
type folder struct {
	dir         string // from the repository's root
	code, tests int    // lines, comments and blanks included
	exported    map[string]bool
	funcs       []function // those of tests left out
}

// function is one with a body.
type function struct {
	file       string
	line       int
	name       string
	lines      int
	complexity int
}

// scan reads every Go file below the root, but not testdata.
func scan(root fs.FS) ([]*folder, error) {
	folders := map[string]*folder{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case d.IsDir() && (base == "testdata" || base != "." && strings.HasPrefix(base, ".")):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		f := folders[path.Dir(name)]
		if f == nil {
			f = &folder{dir: path.Dir(name), exported: map[string]bool{}}
			folders[f.dir] = f
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		return f.add(name, text)
	})
	var list []*folder
	for _, f := range folders {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b *folder) int { return strings.Compare(a.dir, b.dir) })
	return list, err
}

// add counts a file.
func (f *folder) add(name string, text []byte) error {
	lines := bytes.Count(text, []byte("\n"))
	if strings.HasSuffix(name, "_test.go") {
		f.tests += lines
		return nil
	}
	f.code += lines
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, decl := range file.Decls {
		f.export(decl)
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
			start, end := files.Position(fn.Pos()), files.Position(fn.End())
			f.funcs = append(f.funcs, function{
				file: name, line: start.Line, name: qualified(fn),
				lines: end.Line - start.Line + 1, complexity: complexity(fn),
			})
		}
	}
	return nil
}

// export notes the exported names of a declaration: constants, variables,
// types, functions, and methods of exported types.
func (f *folder) export(decl ast.Decl) {
	note := func(name string) {
		for part := range strings.SplitSeq(name, ".") {
			if !token.IsExported(part) {
				return
			}
		}
		f.exported[name] = true
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		note(qualified(d))
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				note(s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					note(n.Name)
				}
			}
		}
	}
}

// qualified returns Func, or Type.Method.
func qualified(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + fn.Name.Name
		default:
			return fn.Name.Name
		}
	}
}

// complexity returns the cyclomatic number as gocyclo counts it: 1, and 1 for
// each branch, case and operator && or ||, those of function literals included.
func complexity(fn *ast.FuncDecl) int {
	n := 1
	ast.Inspect(fn.Body, func(node ast.Node) bool {
		switch x := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if x.List != nil { // not the default
				n++
			}
		case *ast.CommClause:
			if x.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if x.Op == token.LAND || x.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}
