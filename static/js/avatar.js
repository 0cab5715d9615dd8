// One's own picture: put straight where files are kept, so that it does not pass through the page's form.
import { show } from "./toasts.js";

async function post(url, token, values) {
  const answer = await fetch(url, {
    method: "POST",
    body: new URLSearchParams(values),
    headers: { "X-CSRFToken": token, Accept: "application/json" },
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  return body;
}

async function upload(form, file) {
  const token = form.elements.csrfmiddlewaretoken.value;
  const { announce, confirm } = form.dataset;
  const target = await post(announce, token, { content_type: file.type, size: file.size });
  const stored = await fetch(target.url, { method: "PUT", body: file, headers: target.headers });
  if (!stored.ok) throw new Error(form.dataset.failed);
  const { next } = await post(confirm, token, { object_key: target.object_key });
  location.assign(next);
}

const form = document.querySelector("form[data-avatar]");
const input = form?.querySelector("input[type=file]");

input?.addEventListener("change", async () => {
  const file = input.files[0];
  if (!file) return;
  form.setAttribute("aria-busy", "true");
  try {
    await upload(form, file);
  } catch (error) {
    show(error instanceof TypeError ? form.dataset.failed : error.message, "", "", "error");
    form.removeAttribute("aria-busy");
    input.value = "";
  }
});
