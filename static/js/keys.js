// Single-key shortcuts: C create, G then a letter, / search, ? help. Never needed, and can be turned off.
const help = document.getElementById("keys");
const places = JSON.parse(help?.dataset.keys ?? "{}");
const off = () => localStorage.getItem("keys") === "off";
let lead = false;

const box = help?.querySelector("[data-keys-off]");
if (box) {
  box.checked = off();
  box.addEventListener("change", () => localStorage.setItem("keys", box.checked ? "off" : "on"));
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog");
  if (!help || off() || typing || event.metaKey || event.ctrlKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (lead && places[key]) location.assign(places[key]);
  else if (key === "c") document.querySelector("[aria-keyshortcuts=c]")?.click();
  else if (key === "/") {
    const search = document.querySelector("main input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  } else if (key === "?") help.showModal();
  lead = key === "g";
});
