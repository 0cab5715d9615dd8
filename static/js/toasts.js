// Messages that leave by themselves; errors stay until they are clicked away.
const SHOWN_FOR = 6000;
const stack = document.querySelector("[data-toasts]");

function settle(toast) {
  toast.addEventListener("click", () => toast.remove());
  if (toast.dataset.level !== "error") setTimeout(() => toast.remove(), SHOWN_FOR);
}

export function show(title, body = "", href = "") {
  const toast = document.createElement(href ? "a" : "div");
  toast.className = "toast";
  if (href) toast.href = href;
  const head = document.createElement("b");
  head.textContent = title;
  const text = document.createElement("small");
  text.textContent = body;
  toast.append(head, text);
  stack.append(toast);
  settle(toast);
}

stack?.querySelectorAll("[data-toast]").forEach(settle);
