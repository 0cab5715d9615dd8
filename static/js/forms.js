// Dialogs, copying, double submits and unsaved changes.
document.addEventListener("click", async (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (!dialog.open) dialog.showModal();
  }
  const closer = event.target.closest("[data-close]");
  if (closer) document.getElementById(closer.dataset.close).close();

  const copier = event.target.closest("[data-copy]");
  if (copier) {
    await navigator.clipboard.writeText(copier.dataset.copy);
    const label = copier.lastChild;
    const before = label.textContent;
    label.textContent = copier.dataset.copied;
    setTimeout(() => (label.textContent = before), 1500);
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
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
