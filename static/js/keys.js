// Single-key shortcuts: C create, G then a letter, / search, ? help. Never needed, and can be turned off.
import { recall, remember } from "./device.js";

const help = document.getElementById("keys");
const places = JSON.parse(help?.dataset.keys ?? "{}");
let isOff = recall("keys") === "off";
const TYPING = "input, textarea, select, [contenteditable], dialog";
let lead = false;

const box = help?.querySelector("[data-keys-off]");
if (box) {
  box.checked = isOff;
  box.addEventListener("change", () => {
    isOff = box.checked;
    remember("keys", isOff ? "off" : null);
  });
}

function press(key, event) {
  if (lead && places[key]) location.assign(places[key]);
  else if (key === "c") document.querySelector("[aria-keyshortcuts=c]")?.click();
  else if (key === "?") help.showModal();
  else if (key === "/") {
    const search = document.querySelector("main input[type=search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
  }
}

document.addEventListener("keydown", (event) => {
  if (!help || isOff || event.metaKey || event.ctrlKey || event.altKey || event.target.closest?.(TYPING)) return;
  const key = event.key.toLowerCase();
  press(key, event);
  lead = key === "g" || (lead && key === "shift");
});
