// Theme switch, sidebar on phones, and popovers where anchor positioning is missing.
const root = document.documentElement;
const side = document.getElementById("side");
const sideButton = document.querySelector("[data-toggle=side]");

function toggleTheme() {
  const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const isDark = root.dataset.theme === "dark" || (root.dataset.theme === "system" && prefersDark);
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
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
