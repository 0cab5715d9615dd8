// Passkeys: a form that asks the server for a challenge, the browser for a passkey, and sends what it answered.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

function decoded(options) {
  const known = (list) => list?.map((item) => ({ ...item, id: bytes(item.id) }));
  const user = options.user && { ...options.user, id: bytes(options.user.id) };
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(user && { user }),
    ...(options.excludeCredentials && { excludeCredentials: known(options.excludeCredentials) }),
    ...(options.allowCredentials && { allowCredentials: known(options.allowCredentials) }),
  };
}

function encoded(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const said = Object.fromEntries(parts.filter((part) => response[part]).map((part) => [part, text(response[part])]));
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: {},
    response: { ...said, ...(response.getTransports && { transports: response.getTransports() }) },
  };
}

async function ask(form) {
  const csrf = form.elements.csrfmiddlewaretoken.value;
  const answer = await fetch(form.dataset.passkey, { method: "POST", headers: { "X-CSRFToken": csrf } });
  if (answer.redirected) {
    // The server wants the person to prove himself first.
    location.assign(answer.url);
    return;
  }
  if (!answer.ok) throw new Error(String(answer.status));
  const { ceremony, options } = await answer.json();
  const publicKey = decoded(options);
  const isNew = "user" in publicKey;
  const credential = await (isNew ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
  form.elements.ceremony.value = ceremony;
  form.elements.credential.value = JSON.stringify(encoded(credential));
  form.dataset.answered = "1";
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !window.PublicKeyCredential;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    // Before the module that sends every form once sees it.
    event.stopImmediatePropagation();
    const failed = form.querySelector("[role=alert]");
    failed.hidden = true;
    try {
      await ask(form);
    } catch {
      // Nobody tells why: the person may have changed his mind.
      failed.hidden = false;
    }
  });
}
