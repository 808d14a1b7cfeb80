// A mail server with STARTTLS and a login, and a parser of what it gets: a line of JSON for
// each mail. node server.mjs KEY CERTIFICATE USER PASSWORD
import { readFileSync } from "node:fs";
import { SMTPServer } from "smtp-server";
import { simpleParser } from "mailparser";
import ICAL from "ical.js";

const [key, cert, user, password] = process.argv.slice(2);

const server = new SMTPServer({
  key: readFileSync(key), cert: readFileSync(cert), authMethods: ["PLAIN", "LOGIN"], allowInsecureAuth: false,
  onAuth(auth, session, done) {
    if (auth.username !== user || auth.password !== password) return done(new Error("Invalid username or password"));
    done(null, { user: auth.username });
  },
  onRcptTo(address, session, done) {
    if (address.address.startsWith("nobody@")) return done(Object.assign(new Error("5.1.1 User unknown"), { responseCode: 550 }));
    done();
  },
  async onData(stream, session, done) {
    const mail = await simpleParser(stream);
    const calendar = mail.attachments.find((a) => a.contentType === "text/calendar");
    const events = calendar ? new ICAL.Component(ICAL.parse(calendar.content.toString())).getAllSubcomponents("vevent").map((v) => {
      const e = new ICAL.Event(v);
      return { uid: e.uid, summary: e.summary, location: e.location, end: e.endDate.toJSDate() };
    }) : [];
    console.log(JSON.stringify({
      secure: session.secure, user: session.user, from: mail.from.value[0], to: mail.to.value[0], subject: mail.subject,
      id: mail.messageId, date: mail.date, text: mail.text, html: mail.html, events,
    }));
    done();
  },
});
server.listen(0, "127.0.0.1", () => console.log(server.server.address().port));
process.stdin.resume().on("end", () => process.exit(0)); // the test has ended
