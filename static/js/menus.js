// Theme switch, sidebar on phones, and popovers where anchor positioning is missing.
import { remember } from "./device.js";

const root = document.documentElement;
const side = document.getElementById("side");
const sideButton = document.querySelector("[data-toggle=side]");

function toggleTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const shown = root.dataset.theme === "system" ? system : root.dataset.theme;
  const wanted = shown === "dark" ? "light" : "dark";
  // Whoever switches back to what the system shows follows the system again, also when it changes at night.
  root.dataset.theme = wanted === system ? "system" : wanted;
  remember("theme", wanted === system ? null : wanted);
}

function openSide(open) {
  side.toggleAttribute("data-open", open);
  sideButton.setAttribute("aria-expanded", String(open));
  if (open) side.querySelector("a, button").focus();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-toggle]")) toggleTheme();
  if (!side) return;
  const isOpen = side.hasAttribute("data-open");
  if (event.target.closest("[data-toggle=side]")) openSide(!isOpen);
  else if (isOpen && !event.target.closest("#side")) openSide(false);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !side?.hasAttribute("data-open") || side.querySelector(":popover-open")) return;
  openSide(false);
  sideButton.focus();
});

// The stylesheet anchors menus to their buttons; older engines get the place computed.
if (!CSS.supports("position-area: block-end")) {
  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (event.newState !== "open" || !menu.matches?.(".menu[popover]")) return;
      const box = document.querySelector(`[popovertarget="${menu.id}"]`).getBoundingClientRect();
      const start = root.dir === "rtl" ? innerWidth - box.right : box.left;
      const last = innerWidth - menu.offsetWidth - 8;
      menu.style.setProperty("inset-block-start", `${box.bottom + 6}px`);
      menu.style.setProperty("inset-inline-start", `${Math.max(8, Math.min(start, last))}px`);
    },
    true,
  );
}
