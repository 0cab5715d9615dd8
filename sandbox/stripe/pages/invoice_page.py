"""The hosted page of an issued invoice, where it is paid and kept as PDF."""

from __future__ import annotations

import hmac
import time
from urllib.parse import urlsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.stripe import payment_methods, setups
from sandbox.stripe.billing import collection, invoices, lines
from sandbox.stripe.billing.clocks import at_time_of
from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import ACCOUNT_NAME, Configuration
from sandbox.stripe.currencies import written
from sandbox.stripe.errors import StripeError
from sandbox.stripe.objects import Objects, owned_by
from sandbox.stripe.pages.card_form import FIELD_OF_CODE, SHOWN_CARDS, CardForm, read_card
from sandbox.stripe.pages.invoice_pdf import written_as_pdf
from sandbox.stripe.pages.rendering import day, message, page
from sandbox.stripe.shapes import JsonObject
from sandbox.stripe.storage import Storage

_PAYABLE = ("open", "uncollectible")


class InvoicePage:
    """Shows an invoice to the customer who has its address."""

    def __init__(self, configuration: Configuration, storage: Storage) -> None:
        self._configuration = configuration
        self._storage = storage

    def show(self, request: Request, invoice: str, key: str) -> Response:
        """Return the page for the invoice as it stands."""
        with self._storage.read() as connection:
            work = self._work(Objects.around(connection, invoice))
            found = _found(work, invoice, key)
            if found is None:
                return _unknown()
            form = CardForm()
            if request.args.get("redirect_status") == "failed" and found["status"] in _PAYABLE:
                form.problem = "Your bank could not confirm that it was you. Try again or use another card."
            return _page(work, found, form)

    def pay(self, request: Request, invoice: str, key: str) -> Response:
        """Charge the card that was typed; lead on to 3-D Secure or back to the page."""
        form = read_card(request)
        with self._storage.write() as connection:
            work = self._work(Objects.around(connection, invoice))
            found = _found(work, invoice, key)
            if found is None:
                return _unknown()
            intent = collection.intent_of(work, found)
            if found["status"] not in _PAYABLE or intent is None:
                return _page(work, found, form, status=409)
            connection.execute("SAVEPOINT pay")
            try:
                card = form.checked(work)
                if card is None:
                    return _page(work, found, form, status=422)
                method = payment_methods.new_payment_method(
                    work,
                    card,
                    {"billing_details": {"name": form.name or found["customer_name"]}},
                    month=form.month,
                    year=form.year,
                )
                intent = collection.confirm(work, intent, method, return_url=found["hosted_invoice_url"])
            except StripeError as error:
                if not error.keeps_changes:
                    connection.execute("ROLLBACK TO pay")
                form.problem, form.wrong = error.message, FIELD_OF_CODE.get(error.code or "", "card_number")
                again = work.require(invoices.KIND, invoice, param="invoice")
                return _page(work, again, form, status=402 if error.status == 402 else 422)
            asked = intent["status"] == "requires_action"
            return redirect(setups.challenge_url(work, intent) if asked else found["hosted_invoice_url"], code=303)

    def pdf(self, request: Request, invoice: str, key: str) -> Response:
        """Return the invoice as PDF."""
        with self._storage.read() as connection:
            work = self._work(Objects.around(connection, invoice))
            found = _found(work, invoice, key)
            if found is None:
                return _unknown()
            response = Response(_document(found, _lines(work, found)), mimetype="application/pdf")
        response.headers["Content-Disposition"] = f'inline; filename="Invoice-{found["id"]}.pdf"'
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    def _work(self, objects: Objects) -> Work:
        return Work(objects, int(time.time()), self._configuration.base_url)


def _found(work: Work, invoice_id: str, key: str) -> JsonObject | None:
    """Return the invoice if it is issued and the key is the one of its address."""
    invoice = work.objects.get(invoices.KIND, invoice_id)
    if invoice is None or not invoice["hosted_invoice_url"]:
        return None
    known = invoice["hosted_invoice_url"].rsplit("/", 1)[1]
    return invoice if hmac.compare_digest(known.encode(), key.encode()) else None


def _lines(work: Work, invoice: JsonObject) -> list[JsonObject]:
    return work.objects.select(lines.LINE, [owned_by(invoice["id"])], ascending=True)


def _page(work: Work, invoice: JsonObject, form: CardForm, *, status: int = 200) -> Response:
    return page(
        "invoice.html",
        status=status,
        invoice=invoice,
        lines=_lines(work, invoice),
        taxes=_taxes(invoice),
        payable=invoice["status"] in _PAYABLE and invoice["amount_remaining"] > 0,
        overdue=bool(invoice["due_date"]) and invoice["due_date"] < at_time_of(work, invoice).now,
        cards=SHOWN_CARDS,
        form=form,
        here=urlsplit(invoice["hosted_invoice_url"]).path,
    )


def _taxes(invoice: JsonObject) -> int:
    """Return the tax that comes on top of the invoice's lines, in minor units."""
    return sum(tax["amount"] for tax in invoice["total_taxes"] or () if tax["tax_behavior"] == "exclusive")


def _document(invoice: JsonObject, items: list[JsonObject]) -> bytes:
    currency = invoice["currency"]
    discount = sum(given["amount"] for given in invoice["total_discount_amounts"] or ())
    sums = [("Subtotal", invoice["subtotal"])]
    sums += [("Discount", -discount)] if discount else []
    sums += [("Tax", _taxes(invoice))] if _taxes(invoice) else []
    sums += [("Total", invoice["total"]), ("Paid", invoice["amount_paid"]), ("Due", invoice["amount_remaining"])]
    rows = [
        ACCOUNT_NAME,
        f"To: {invoice['customer_name'] or invoice['customer_email'] or invoice['customer']}",
        f"Issued: {day(invoice['effective_at'])}",
        *([f"Due: {day(invoice['due_date'])}"] if invoice["due_date"] else []),
        f"Status: {invoice['status']} (sandbox: no real money)",
        "",
        *(_row(item["description"] or "", written(item["amount"], currency)) for item in items),
        "",
        *(_row(label, written(amount, currency)) for label, amount in sums),
    ]
    return written_as_pdf(f"Invoice {invoice['number']}", rows)


def _row(label: str, amount: str) -> str:
    return f"{label[:66]:<68}{amount:>20}"


def _unknown() -> Response:
    return message("No such invoice", "The address is incomplete, or the sandbox was reset.", status=404, tone="bad")
