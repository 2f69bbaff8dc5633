// Small conveniences; every page works without them.
"use strict";

// "/" goes to the search field, "?" shows the keys, a letter opens a page.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(input|textarea|select)$/i.test(event.target.tagName)) return;
  const keys = document.getElementById("keys");
  if (keys.open) return;
  if (event.key === "/") {
    const field = document.querySelector("[data-shortcut='/']");
    if (field) { event.preventDefault(); field.focus(); field.select(); }
  } else if (event.key === "?") {
    keys.showModal();
  } else if (/^[a-z]$/.test(event.key)) {
    const link = document.querySelector(`nav a[data-key='${event.key}']`);
    if (link) location.href = link.href;
  }
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
