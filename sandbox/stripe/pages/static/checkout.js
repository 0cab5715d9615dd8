// Comforts for the payment form; without this script the form works the same.

const form = document.querySelector("[data-payment]");
const number = form.querySelector("[data-card-number]");
const expiry = form.querySelector("[data-expiry]");
const cvc = form.querySelector("[data-cvc]");
const pay = form.querySelector("[data-pay]");

const digitsOf = (text) => text.replace(/\D/g, "");

function inGroups(digits) {
  const american = /^3[47]/.test(digits);
  const pattern = american ? /^(\d{1,4})(\d{1,6})?(\d{1,5})?.*$/ : /(\d{4})(?=\d)/g;
  if (!american) {
    return digits.slice(0, 19).replace(pattern, "$1 ");
  }
  return digits.replace(pattern, (_, ...parts) => parts.slice(0, 3).filter(Boolean).join(" "));
}

function asExpiry(text) {
  let digits = digitsOf(text).slice(0, 6);
  if (/^[2-9]/.test(digits)) {
    digits = `0${digits}`;
  }
  return digits.length > 2 ? `${digits.slice(0, 2)} / ${digits.slice(2)}` : digits;
}

// The caret would jump if text in the middle were rewritten, so only typing at the end is formatted.
function formatWhileTyping(input, format) {
  input?.addEventListener("input", () => {
    if (input.selectionStart === input.value.length) {
      input.value = format(input.value);
    }
  });
}

formatWhileTyping(number, (text) => inGroups(digitsOf(text)));
formatWhileTyping(expiry, asExpiry);
formatWhileTyping(cvc, (text) => digitsOf(text).slice(0, 4));

for (const button of document.querySelectorAll("[data-fill]")) {
  button.addEventListener("click", () => {
    if (button.dataset.target !== "card_number") {
      form.querySelector(`#${button.dataset.target}`).value = button.dataset.fill;
      pay.focus();
      return;
    }
    const nextYear = (new Date().getFullYear() + 1) % 100;
    number.value = button.dataset.fill;
    expiry.value = `12 / ${String(nextYear).padStart(2, "0")}`;
    cvc.value = "123";
    pay.focus();
  });
}

// What is hidden must not be sent: the server takes whichever way of paying was filled in.
function sendChosenWayOnly() {
  const way = form.querySelector("[name=way]:checked")?.value;
  if (way) {
    form.querySelector("#iban").disabled = way !== "account";
  }
}

form.addEventListener("submit", () => {
  sendChosenWayOnly();
  pay.disabled = true;
  pay.textContent = pay.dataset.busy;
});

// A page brought back from the browser's history must be usable again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    window.location.reload();
  }
});
