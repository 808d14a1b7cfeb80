package ui

import (
	_ "embed"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

//go:embed words.txt.gz
var packedWords []byte // words.txt, which a test packs by language

// languages are those of the pages, in the order in which words.txt has them.
var languages = []string{"en", "de", "fr", "es"}

// rows are the words of all pages: the name of each, and its text in each language.
var rows = sync.OnceValue(func() (all [][5]string) { return columns[[5]string](packedWords) })

// columns unpacks rows of texts: all of the first column, a line each, and then those of the
// next, which packs best.
func columns[Row ~[4]string | ~[5]string](packed []byte) (all []Row) {
	lines := strings.Split(string(unpack(packed)), "\n")
	var row Row
	all = make([]Row, len(lines)/len(row))
	for i, line := range lines {
		all[i%len(all)][i/len(all)] = line
	}
	return all
}

// Texts are the words of a page in each language, by its code. T is a struct of strings, lists
// of them, and Dicts or maps; words.txt names them as in page.Field, page.List.0 and page.Dict.key.
// It panics if one has no text, or none of T wants it.
func Texts[T any](page string) map[string]*T {
	all := map[string]*T{}
	for i, language := range languages {
		all[language] = new(T)
		fill(reflect.ValueOf(all[language]).Elem(), page, i)
	}
	return all
}

func fill(words reflect.Value, page string, language int) {
	for _, row := range rows() {
		name, ok := strings.CutPrefix(row[0], page+".")
		if !ok {
			continue
		}
		name, key, _ := strings.Cut(name, ".")
		switch field, text := words.FieldByName(name), row[1+language]; field.Kind() {
		case reflect.String:
			field.SetString(text)
		case reflect.Array:
			n, _ := strconv.Atoi(key)
			field.Index(n).SetString(text)
		case reflect.Slice:
			field.Set(reflect.Append(field, reflect.ValueOf([2]string{key, text})))
		case reflect.Map:
			if field.IsNil() {
				field.Set(reflect.MakeMap(field.Type()))
			}
			field.SetMapIndex(reflect.ValueOf(key).Convert(field.Type().Key()), reflect.ValueOf(text))
		default:
			panic("nobody wants the words " + row[0])
		}
	}
	for i := range words.NumField() {
		if f := words.Type().Field(i); f.Name != "Language" && f.Type.Kind() == reflect.String && words.Field(i).String() == "" {
			panic("there are no words " + page + "." + f.Name)
		}
	}
}
