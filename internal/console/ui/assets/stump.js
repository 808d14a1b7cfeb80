"use strict";
// A live page is asked for again when something happens; a reload does the same.
const { live, again } = document.body.dataset, by = (id) => document.getElementById(id);
let asked = 0, changes, pause;

async function refresh(e) {
  if (e?.type === "end") changes.close();
  const mine = ++asked, answer = await fetch(location, { headers: { Accept: "text/html", "Stump-Part": "live" } });
  if (answer.redirected || !answer.ok) return;
  by("away").hidden = true;
  const old = by("live"), now = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
  if (mine !== asked || !now) return;
  for (const e of old.querySelectorAll("details[open][id]")) now.querySelector("#" + e.id)?.toggleAttribute("open");
  const known = old.innerHTML.replaceAll(' class="fresh"', "");
  if (known === now.innerHTML || [...old.querySelectorAll("input")].some((e) => e.value !== e.defaultValue)) return; // somebody types
  for (const e of now.querySelectorAll("[data-device]")) e.classList.toggle("fresh", !known.includes(e.outerHTML));
  const at = document.activeElement.closest("#live [href], #live [id]"), key = at?.id ? "id" : "href";
  old.replaceWith(now);
  now.querySelector(`[${key}="${at?.getAttribute(key)}"]`)?.focus();
}

function watch() {
  changes?.close();
  if (document.hidden && live === "/changes") return; // a self-test ends when nobody follows it
  changes = new EventSource(live);
  for (const what of ["open", "message", "say", "ask", "result", "summary", "end"]) changes.addEventListener(what, refresh);
  changes.onerror = () => {
    by("away").hidden = false;
    if (changes.readyState > 1) setTimeout(watch, 5000); // refused: no more tries
  };
}

if (again) setInterval(() => fetch(location).then((answer) => answer.ok && location.reload(), () => 0), again * 1000);

if (live) {
  document.onvisibilitychange = watch;
  watch();
}

// This tab keeps what its user types, with what the form had then, until it is sent.
const tab = sessionStorage, who = document.querySelector(".who")?.textContent, wrong = document.querySelector("[role=alert]");
const key = (form) => [who, form.action, form.elements.form?.value, form.elements.id?.defaultValue] + "";
if (!wrong && performance.getEntriesByType("navigation")[0].type === "navigate") delete tab[tab.sent];
delete tab.sent;
for (const form of wrong ? [] : document.forms) for (const [name, value] of new URLSearchParams(tab[key(form)])) {
  try { form.elements[name].value = value; } catch {} // gone, or a file
}
document.oninput = ({ target: { form, type } }) => {
  const typed = new URLSearchParams(new FormData(form ?? undefined));
  if (who && form?.method === "post") tab[key(form)] = typed;
  clearTimeout(pause);
  if (live && type === "search") pause = setTimeout(() => {
    history.replaceState(0, "", "?" + typed);
    refresh();
  }, 150);
};
document.onsubmit = ({ target }) => target.action.endsWith("/logout") ? tab.clear() : tab.sent = key(target);
document.onclick = ({ target }) => { if (target.matches("form a")) delete tab[key(target.closest("form"))]; }; // anew
