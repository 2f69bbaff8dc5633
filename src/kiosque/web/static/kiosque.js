// Small conveniences; every page works without them.
"use strict";

// "/" goes to the search field, "?" shows the keys, a letter opens a page, j and k go through the headlines.
// Whoever speaks to the computer, or types by accident, can turn single keys off (WCAG 2.1.4).
const keys = document.getElementById("keys");
const single = document.getElementById("single-keys");
const remembered = (() => { try { return localStorage; } catch { return {}; } })();
single.checked = remembered.singleKeys !== "off";
single.addEventListener("change", () => { remembered.singleKeys = single.checked ? "on" : "off"; });
for (const button of document.querySelectorAll("[data-keys]")) {
  button.hidden = false;
  button.addEventListener("click", () => keys.showModal());
}

const go = {
  "/": () => { const field = document.querySelector("[data-shortcut='/']"); if (field) { field.focus(); field.select(); } },
  "?": () => keys.showModal(),
  j: () => step(1),
  k: () => step(-1),
};

function step(by) {
  const items = [...document.querySelectorAll("main .title[href], main .rows td:first-child a")];
  const now = items.indexOf(document.activeElement);
  const next = items[now < 0 ? (by > 0 ? 0 : items.length - 1) : now + by];
  if (next) next.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (!single.checked || keys.open || /^(input|textarea|select)$/i.test(event.target.tagName)) return;
  const link = /^[a-z]$/.test(event.key) && document.querySelector(`nav a[data-key='${event.key}']`);
  if (go[event.key]) { event.preventDefault(); go[event.key](); }
  else if (link) location.href = link.href;
});

// A select in a filter sentence applies itself.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto]");
  if (form && event.target.tagName === "SELECT") form.requestSubmit();
});

// New headlines wait behind a line that says how many; nothing moves under the reader's eyes.
const live = document.querySelector("[data-stream]");
if (live && "EventSource" in window) {
  let waiting = 0;
  const note = document.createElement("p");
  note.className = "small";
  note.id = "live-note";
  note.setAttribute("aria-live", "polite");
  live.before(note);
  const stream = new EventSource(live.dataset.stream);
  stream.addEventListener("open", () => { note.dataset.open = ""; });
  stream.addEventListener("article", () => {
    waiting += 1;
    note.textContent = "";
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = waiting === 1 ? live.dataset.one : live.dataset.many.replace("#", waiting);
    note.append(link);
  });
}

// The words behind a score are fetched when their place comes into view; without script there is a link to them.
const places = document.querySelectorAll("[data-words]");
if (places.length && "IntersectionObserver" in window) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      seen.unobserve(entry.target);
      fetch(entry.target.dataset.words, { headers: { Accept: "text/html" } })
        .then((answer) => (answer.ok ? answer.text() : null))
        .then((html) => { if (html) entry.target.innerHTML = html; })
        .catch(() => {});
    }
  });
  for (const place of places) seen.observe(place);
}
