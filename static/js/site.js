// Small helpers for every page. Works with script-src 'self' and without htmx; hooks are data attributes (docs/design.md).
"use strict";
const find = (selector, root = document) => root.querySelector(selector);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// Theme switch: system, light, dark, in turn; theme.js applies it before the first paint
function themeSwitch(button) {
  const order = ["auto", "light", "dark"];
  const stored = () => { try { return localStorage.getItem("theme") || "auto"; } catch { return "auto"; } };
  const word = find("[data-theme-word]", button) || button;
  const show = () => { word.textContent = button.title = button.dataset[stored()]; };
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(stored()) + 1) % order.length];
    try { next === "auto" ? localStorage.removeItem("theme") : localStorage.setItem("theme", next); } catch { return; }
    window.dispatchEvent(new Event("storage"));
    show();
  });
  show();
  button.hidden = false;
}

// Focus moves to a new result (and it scrolls into view) only if it asks for it: data-focus-after-swap
function focusResult(root) {
  const target = root.matches("[data-focus-after-swap]") ? root : find("[data-focus-after-swap]", root);
  if (!target) return;
  if (!target.hasAttribute("tabindex")) target.tabIndex = -1;
  target.focus({ preventScroll: true });
  const { top, bottom } = target.getBoundingClientRect();
  if (top < 0 || top > innerHeight * 0.6 || (bottom > innerHeight && top > 80)) {
    target.scrollIntoView({ block: "start", behavior: calm.matches ? "auto" : "smooth" });
  }
}

// One sentence into the live region that stands in the page from the start
function alarm(kind) {
  const region = find("#alerts");
  if (!region) return;
  const box = document.createElement("div");
  box.className = "alert alert-danger";
  box.textContent = region.dataset[kind] || region.dataset.refused;
  region.replaceChildren(box);
  region.scrollIntoView({ block: "nearest" });
}
const quiet = () => { const box = find("#alerts > .alert"); if (box) box.remove(); };

// Drop zone: a drop anywhere in the frame fills its file input
function dropZone(zone) {
  const input = find("input[type=file]", zone);
  const over = (on) => (event) => { event.preventDefault(); zone.classList.toggle("is-over", on); };
  ["dragenter", "dragover"].forEach((name) => zone.addEventListener(name, over(true)));
  ["dragleave", "drop"].forEach((name) => zone.addEventListener(name, over(false)));
  zone.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// Upload: percentage while the file travels, then what the server does (data-upload on the form)
function uploadState(form) {
  const state = find("[data-upload-state]", form);
  if (!state) return;
  const bar = find("progress", state);
  const words = find("[data-upload-words]", state);
  let sent = false;
  form.addEventListener("htmx:xhr:loadstart", () => { if (!sent) { state.hidden = false; bar.value = 0; words.textContent = state.dataset.sending; } });
  form.addEventListener("htmx:xhr:progress", ({ detail }) => {
    if (sent || !detail.lengthComputable) return;
    const percent = Math.floor((detail.loaded / detail.total) * 100);
    bar.value = percent;
    words.textContent = `${state.dataset.sending} ${percent} %`;
    if (percent === 100) { sent = true; bar.removeAttribute("value"); words.textContent = state.dataset.reading; }
  });
  form.addEventListener("htmx:afterRequest", ({ detail }) => { sent = false; if (!detail.successful) state.hidden = true; });
}

// A choice that is applied at once without its button (data-submit-on-change on the form). The button stays for those
// without JavaScript and comes back for the keyboard: an arrow key passes by choices that are not meant.
function submitOnChange(form) {
  const show = (isShown) => form.querySelectorAll("[data-only-without-js]").forEach((button) => { button.hidden = !isShown; });
  let byKey = false;
  form.addEventListener("keydown", () => { byKey = true; });
  form.addEventListener("pointerdown", () => { byKey = false; });
  form.addEventListener("change", () => (byKey ? show(true) : form.requestSubmit()));
  show(false);
}

function wire(root) {
  const each = (selector, act) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)].forEach(act);
  each("[data-theme-switch]", themeSwitch);
  each("[data-drop]", dropZone);
  each("form[data-upload]", uploadState);
  each("form[data-submit-on-change]", submitOnChange);
  each("[data-print]", (button) => { button.hidden = false; button.addEventListener("click", () => print()); });
  each("[data-copy]", (button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", () => navigator.clipboard.writeText(button.dataset.copy).then(() => { button.textContent = button.dataset.copied || button.textContent; }));
  });
}

wire(document);
find("[data-focus-on-load]")?.focus();
find(".side-nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" }); // the row of links on phones

// htmx: new parts are wired, busy targets say so, failures are said
document.addEventListener("htmx:load", ({ detail }) => {
  if (detail.elt === document.body) return;
  wire(detail.elt);
  focusResult(detail.elt);
});
// What a page asks by itself (data-aside) neither alarms nor takes an alarm away: the person has done nothing.
const asked = ({ detail }) => !detail.elt.matches("[data-aside]");
const isSignIn = (xhr) => xhr.responseURL && new URL(xhr.responseURL).pathname === "/accounts/login/" && location.pathname !== "/accounts/login/";
document.addEventListener("htmx:beforeRequest", (event) => { if (asked(event)) event.detail.target?.setAttribute("aria-busy", "true"); });
document.addEventListener("htmx:afterRequest", (event) => { event.detail.target?.removeAttribute("aria-busy"); if (asked(event) && event.detail.successful) quiet(); });
document.addEventListener("htmx:beforeSwap", ({ detail }) => { if (isSignIn(detail.xhr)) { detail.shouldSwap = false; detail.isError = true; } }); // the session has ended: no sign-in page inside of this one
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const kinds = { 401: "signedOut", 403: "signedOut", 413: "tooLarge", 507: "diskFull" };
  if (asked(event)) alarm(isSignIn(xhr) ? "signedOut" : kinds[xhr.status] || "refused");
});
// A part that saves itself while one types in it (data-keeps-typing) is not replaced by an answer that knows less than
// what stands in it by now; the request for the rest follows.
const sent = new WeakMap();
const typed = (part) => JSON.stringify([...part.querySelectorAll("input, select, textarea")].map((field) => [field.value, field.checked]));
document.addEventListener("htmx:beforeRequest", ({ detail }) => { if (detail.elt.matches("[data-keeps-typing]")) sent.set(detail.elt, typed(detail.elt)); });
document.addEventListener("htmx:beforeSwap", ({ detail }) => { if (sent.has(detail.target) && sent.get(detail.target) !== typed(detail.target)) detail.shouldSwap = false; });
["htmx:sendError", "htmx:timeout"].forEach((name) => document.addEventListener(name, (event) => { if (asked(event)) alarm("offline"); }));
