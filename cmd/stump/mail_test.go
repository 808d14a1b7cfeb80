package main

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"stump/directory/mail/smtptest"
)

// postOffice is the key of a script's mail server.
type postOffice struct{}

// postbox starts a mail server, whose address is $MAIL and whose certificate $MAILCA, and
// writes them into configurations in place of these names: postbox FILE…. Further on the
// server refuses whom an address names: postbox refuse ADDRESS.
func postbox(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 2 && args[0] == "refuse" {
		(*ts.Value(postOffice{}).(**smtptest.Server)).SetScript(func(step, arg string) string {
			if step == smtptest.To && arg == args[1] {
				return "550 5.1.1 User unknown"
			}
			return smtptest.OK
		})
		return
	}
	dir, err := os.MkdirTemp(ts.Getenv("WORK"), "post")
	ts.Check(err)
	server, err := smtptest.NewIn(dir)
	ts.Check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	go server.Accept(listener)
	*ts.Value(postOffice{}).(**smtptest.Server) = server
	for _, file := range args {
		text := strings.NewReplacer("$MAILCA", server.CAFile(), "$MAIL", listener.Addr().String()).Replace(ts.ReadFile(file))
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

// mails waits until so many mails have come, and writes each as it is read into a file:
// mail1, mail2, …. mails N.
func mails(ts *testscript.TestScript, neg bool, args []string) {
	server := *ts.Value(postOffice{}).(**smtptest.Server)
	var want int
	_, err := fmt.Sscan(args[0], &want)
	ts.Check(err)
	for end := time.Now().Add(90 * time.Second); len(server.Mails()) < want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("only %d mails have come", len(server.Mails()))
		}
	}
	all := server.Mails()
	if len(all) > want {
		ts.Fatalf("%d mails have come", len(all))
	}
	for i, m := range all {
		text, err := readMail(m.Data)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(fmt.Sprintf("mail%d", i+1)), []byte(text), 0o600))
	}
}

// readMail is a mail as people read it: some of its header, then its parts.
func readMail(data string) (string, error) {
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, key := range []string{"From", "To", "Subject", "Date", "Message-ID"} {
		value, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get(key))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "%s: %s\n", key, value)
	}
	var read func(kind string, body io.Reader) error
	read = func(kind string, body io.Reader) error {
		kind, params, err := mime.ParseMediaType(kind)
		if err != nil || !strings.HasPrefix(kind, "multipart/") {
			b, rerr := io.ReadAll(quotedprintable.NewReader(body))
			fmt.Fprintf(&text, "--- %s\n%s", kind, strings.ReplaceAll(string(b), "\r\n", "\n"))
			return errors.Join(err, rerr)
		}
		r := multipart.NewReader(body, params["boundary"])
		for {
			p, err := r.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err == nil {
				err = read(p.Header.Get("Content-Type"), p)
			}
			if err != nil {
				return err
			}
		}
	}
	err = read(m.Header.Get("Content-Type"), m.Body)
	return text.String(), err
}
