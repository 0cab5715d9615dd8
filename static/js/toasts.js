// Messages that leave by themselves unless the pointer or the focus rests on them; errors stay until dismissed.
const SHOWN_FOR = 6000;
const stack = document.querySelector("[data-toasts]");
const form = document.querySelector("[data-toast-form]");

function settle(toast) {
  toast.querySelector("[data-dismiss]").addEventListener("click", () => toast.remove());
  if (toast.dataset.level === "error") return;
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, SHOWN_FOR / 2);
    else toast.remove();
  };
  setTimeout(leave, SHOWN_FOR);
}

export function show(title, body = "", href = "", level = "info") {
  const toast = form.content.firstElementChild.cloneNode(true);
  toast.dataset.level = level;
  if (href) toast.querySelector("a").href = href;
  toast.querySelector("b").textContent = title;
  toast.querySelector("small").textContent = body;
  stack.append(toast);
  settle(toast);
}

stack?.querySelectorAll("[data-toast]").forEach(settle);
