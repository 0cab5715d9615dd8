// Dialogs, copying, double submits and unsaved changes.
import { show } from "./toasts.js";

// Where the browser knows invoker commands, the markup opens the dialog by itself.
const opensDialogs = "commandForElement" in HTMLButtonElement.prototype;

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain HTTP outside of localhost has no clipboard.
  const box = document.createElement("textarea");
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}

document.addEventListener("click", async (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener && !opensDialogs) document.getElementById(opener.dataset.dialog).showModal();

  const closer = event.target.closest("[data-close]");
  if (closer) document.getElementById(closer.dataset.close).close();

  const copier = event.target.closest("[data-copy]");
  if (copier) {
    await copy(copier.dataset.copy);
    show(copier.dataset.copied, copier.dataset.copy);
  }
});

// A form that was refused comes back with its dialog open, so that the errors are where the fields are.
document.querySelector("dialog[data-shown]")?.showModal();

document.addEventListener("submit", (event) => {
  const form = event.target;
  // Read as an attribute: a field that is called "method" hides the form's own property.
  if (form.getAttribute("method") !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  delete form.dataset.changed;
  form.querySelectorAll("button:not([type=button])").forEach((button) => button.setAttribute("aria-disabled", "true"));
});

// Coming back by the browser's button shows the old document: its forms may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.forms) {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled"));
  }
});

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-guard]");
  if (form) form.dataset.changed = "1";
});
addEventListener("beforeunload", (event) => {
  if (document.querySelector("form[data-changed]")) event.preventDefault();
});
