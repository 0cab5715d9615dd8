"""The whole story over HTTP and WebSocket against a running platform, each step with its time and proof.

Exits non-zero at the first thing that is not as it must be.
"""

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

PASSWORD = "Insula-demo-1"  # noqa: S105
WAIT_SECONDS = 30
_COLOUR = sys.stdout.isatty()


class DemoFailed(Exception):
    """Something is not as it must be."""


class Story:
    """One run: a fresh organisation from sign-up to the refund of its first invoice."""

    def __init__(self, port: int, sandbox_port: int, realtime_port: int, data: Path) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.sandbox = f"http://127.0.0.1:{sandbox_port}"
        self.socket_url = f"ws://127.0.0.1:{realtime_port}/ws/notifications/"
        self.mail = data / "mail"
        self.tag = secrets.token_hex(3)
        self.email = f"mira-{self.tag}@example.test"
        self.http = httpx.Client(timeout=30)
        self.token = ""

    # -- plumbing ---------------------------------------------------------------------------------------------------

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """Print `title`, the time that the body took and the proof that it put into the list."""
        proof: list[str] = []
        started = time.perf_counter()
        try:
            yield proof
        except DemoFailed as error:
            print(f"{_paint('31', '✗')} {title}: {error}")
            raise
        took = (time.perf_counter() - started) * 1000
        print(f"{_paint('32', '✓')} {title:<46} {took:>7.0f} ms  {'; '.join(proof)}")

    def call(self, method: str, path: str, *, expect: int, host: str = "localhost", **options: Any) -> httpx.Response:
        """Call the API with the current token."""
        headers = {"Host": host, **options.pop("headers", {})}
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        answer = self.http.request(method, f"{self.base}{path}", headers=headers, **options)
        if answer.status_code == 429 != expect:
            # Told twice within a minute, the story signs in more often than one address may.
            seconds = int(answer.headers["Retry-After"])
            print(f"  {method} {path}: the rate limit asks to wait {seconds} s")
            time.sleep(seconds)
            answer = self.http.request(method, f"{self.base}{path}", headers=headers, **options)
        must(answer.status_code == expect, f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer

    def api(self, method: str, path: str, *, expect: int = 200, body: Any = None) -> Any:
        """`call` below ``/api/v1`` with JSON both ways."""
        answer = self.call(method, f"/api/v1{path}", expect=expect, json=body)
        return answer.json() if answer.content else None

    def control(self, path: str, body: dict[str, Any]) -> None:
        """Do something to the Stripe sandbox."""
        done = self.http.post(f"{self.sandbox}/_sandbox/{path}", json=body)
        must(done.status_code == 200, f"the sandbox answered {done.status_code}: {done.text[:200]}")

    def complete(self, url: str) -> None:
        """Pay with a card on Stripe's page at `url`."""
        self.control(f"checkout/sessions/{url.rstrip('/').split('/')[-1]}/complete", {"payment_method": "pm_card_visa"})

    def sessions(self) -> set[str]:
        """The latest checkouts that Stripe knows."""
        key = {"Authorization": f"Bearer {os.environ['STRIPE_SECRET_KEY']}"}
        found = self.http.get(f"{self.sandbox}/v1/checkout/sessions?limit=100", headers=key)
        must(found.status_code == 200, f"the sandbox answered {found.status_code}: {found.text[:200]}")
        return {session["id"] for session in found.json()["data"]}

    def entries_of(self, kind: str) -> list[Any]:
        """The ledger's entries of a kind."""
        return [entry for entry in self.api("GET", "/ledger/entries?limit=100")["data"] if entry["kind"] == kind]

    # -- the story --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Tell it."""
        self.sign_up()
        self.sign_in()
        invoice = self.invoice()
        with self.listen() as socket:
            self.pay(invoice["id"], socket)
        self.check_books(invoice)
        self.refund(invoice["id"])
        self.pay_in_spite_of_faults(invoice["id"])
        self.check_walls(invoice["id"])

    def sign_up(self) -> None:
        """An organisation appears and is provisioned in the background."""
        with self.step("Sign up") as proof:
            names = {"first_name": "Mira", "last_name": "Okafor", "tenant_name": f"Demo Studio {self.tag}"}
            body = self.api(
                "POST", "/auth/signup", expect=201, body={"email": self.email, "password": PASSWORD, **names}
            )
            self.tenant = body["tenant"]
            proof.append(f"workspace {self.tenant['slug']}, {self.tenant['status'].lower()}")
        with self.step("Provisioning to ACTIVE") as proof:
            status = wait(
                lambda: self.api("GET", f"/auth/signup/{self.tenant['key']}"), lambda body: body["status"] == "ACTIVE"
            )
            proof.append(f"{status['progress']} %")

    def sign_in(self) -> None:
        """A token that anybody can verify with the published key."""
        with self.step("Sign in") as proof:
            body = {"email": self.email, "password": PASSWORD, "tenant": self.tenant["key"]}
            self.token = self.api("POST", "/auth/signin", body=body)["access"]
            keys = jwt.PyJWKSet.from_dict(self.call("GET", "/.well-known/jwks.json", expect=200).json())
            header = jwt.get_unverified_header(self.token)
            key = next(key for key in keys.keys if key.key_id == header["kid"])
            claims = jwt.decode(self.token, key.key, algorithms=["RS256"], options={"verify_aud": False})
            proof.append(f"RS256 token verified by JWKS key {header['kid'][:8]}, roles {','.join(claims['roles'])}")

    def invoice(self) -> dict[str, Any]:
        """A client, a draft, a number, a PDF, an e-mail, a look at the hosted page."""
        with self.step("Client and draft invoice") as proof:
            client = self.api("POST", "/clients", expect=201, body={"name": "Ionian Yachts", "email": "ap@ionian.test"})
            lines = [
                {"description": "Illustration set", "quantity": "2", "unit_price_minor": 92000, "tax_rate": "19.00"},
                {
                    "description": "Accessibility audit",
                    "quantity": "1",
                    "unit_price_minor": 130000,
                    "tax_rate": "19.00",
                },
                {"description": "Hosting", "quantity": "0.333333", "unit_price_minor": 1000, "tax_rate": "7.00"},
            ]
            draft = self.api(
                "POST",
                "/invoices",
                expect=201,
                body={"client_id": client["id"], "currency": "EUR", "due_date": "2030-01-31", "lines": lines},
            )
            proof.append(f"total {draft['total_minor']} minor units")
        with self.step("Finalize") as proof:
            invoice: dict[str, Any] = self.api("POST", f"/invoices/{draft['id']}/finalize")
            must(invoice["status"] == "open" and invoice["number"], "finalize gave no number")
            taxes = sum(group["tax_minor"] for group in invoice["tax_breakdown"])
            must(invoice["tax_minor"] == taxes, "tax groups do not sum to the tax")
            proof.append(f"number {invoice['number']}")
        with self.step("Send by e-mail") as proof:
            self.api("POST", f"/invoices/{invoice['id']}/send")
            proof.append(f"e-mail {self.mail_about(invoice['number'])}")
        with self.step("PDF") as proof:
            pdf = self.call("GET", f"/api/v1/invoices/{invoice['id']}/pdf", expect=200)
            must(pdf.content.startswith(b"%PDF"), "no PDF")
            target = self.mail.parent / f"demo-{invoice['number']}.pdf"
            target.write_bytes(pdf.content)
            proof.append(f"{len(pdf.content)} bytes in {target}")
        with self.step("The customer opens the hosted page") as proof:
            link = urlsplit(invoice["hosted_url"])
            page = self.http.get(f"{self.base}{link.path}", headers={"Host": link.netloc})
            must(page.status_code == 200 and invoice["number"] in page.text, f"hosted page: {page.status_code}")
            viewed = self.api("GET", f"/invoices/{invoice['id']}")["viewed_at"]
            must(viewed, "the view was not tracked")
            proof.append(f"viewed at {viewed}")
        return invoice

    @contextmanager
    def listen(self) -> Iterator[ClientConnection]:
        """The owner's live connection."""
        with connect(self.socket_url, origin=Origin("http://localhost"), open_timeout=10) as socket:
            socket.send(json.dumps({"type": "auth", "access": self.token}))
            hello = json.loads(socket.recv(timeout=10))
            must(hello["type"] == "hello", f"the socket said {hello}")
            yield socket

    def pay(self, invoice_id: str, socket: ClientConnection) -> None:
        """Checkout, Stripe's webhook, the invoice paid, the owner told."""
        with self.step("Open a checkout") as proof:
            url = self.api("POST", f"/invoices/{invoice_id}/pay", expect=201)["payment_url"]
            proof.append(url)
        with self.step("The customer pays") as proof:
            self.complete(url)
            paid = wait(lambda: self.api("GET", f"/invoices/{invoice_id}"), lambda body: body["status"] == "paid")
            proof.append(f"invoice {paid['number']} paid at {paid['paid_at']}")
        with self.step("The owner hears of it live") as proof:
            deadline = time.monotonic() + WAIT_SECONDS
            while time.monotonic() < deadline:
                message = json.loads(socket.recv(timeout=WAIT_SECONDS))
                if message["type"] == "notification" and paid["number"] in message["title"] + message["body"]:
                    break
            else:
                raise DemoFailed("no notification arrived")
            unread = self.api("GET", "/notifications/unread-count")
            proof.append(f"“{message['title']}”, unread {unread}")
        with self.step("Receipt by e-mail") as proof:
            proof.append(f"e-mail {self.mail_about('receipt', 'Receipt')}")

    def check_books(self, invoice: dict[str, Any]) -> None:
        """The ledger balances and the trail is complete."""
        with self.step("Trial balance") as proof:
            wait(lambda: self.api("GET", "/ledger/entries")["data"], lambda entries: len(entries) >= 3)
            balance = self.api("GET", "/ledger/trial-balance")
            for row in balance["data"]:
                must(row["debit_minor"] == row["credit_minor"], f"{row['currency']} does not balance")
                proof.append(f"{row['currency']} {row['debit_minor']} = {row['credit_minor']}")
        with self.step("Audit trail") as proof:
            actions = {entry["action"] for entry in self.api("GET", "/audit?limit=100")["data"]}
            needed = {"tenancy.tenant.create", "invoices.invoice.finalize", "invoices.invoice.send"}
            must(needed <= actions, f"missing {needed - actions}")
            proof.append(f"{len(actions)} kinds of entries")

    def refund(self, invoice_id: str) -> None:
        """Part, then the rest, then nothing more."""
        payment = self.api("GET", f"/invoices/{invoice_id}/payments")["data"][0]
        with self.step("Refund a part, then the rest") as proof:
            body = {"amount_minor": 10000, "reason": "requested_by_customer"}
            self.api("POST", f"/payments/{payment['id']}/refunds", expect=201, body=body)
            self.api("POST", f"/payments/{payment['id']}/refunds", expect=201, body={"reason": "requested_by_customer"})
            after = wait(
                lambda: self.api("GET", f"/payments/{payment['id']}"), lambda body: body["status"] == "refunded"
            )
            reopened = self.api("GET", f"/invoices/{invoice_id}")
            must(reopened["amount_due_minor"] == reopened["total_minor"], "the invoice is not due again")
            proof.append(f"payment {after['status']}, invoice {reopened['status']} again")
        with self.step("Refund above what was paid is refused") as proof:
            again = {"amount_minor": 1, "reason": "duplicate"}
            self.api("POST", f"/payments/{payment['id']}/refunds", expect=409, body=again)
            proof.append("409")

    def pay_in_spite_of_faults(self, invoice_id: str) -> None:
        """Stripe does what it was asked and fails to say so; then it tells of the payment twice and in disorder."""
        before = len(self.entries_of("payment.succeeded"))
        with self.step("A checkout whose answer Stripe lost") as proof:
            lost = {"status": 500, "path": "/v1/checkout/sessions", "method": "POST", "when": "after"}
            self.control("faults", lost)
            known = self.sessions()
            url = self.api("POST", f"/invoices/{invoice_id}/pay", expect=201)["payment_url"]
            must(len(self.sessions() - known) == 1, "two sessions were opened")
            proof.append("asked again, one session")
        with self.step("Stripe tells of it twice and in disorder") as proof:
            self.control("disturbances", {"action": "reorder", "type": "checkout.session.completed"})
            self.control("disturbances", {"action": "duplicate", "count": 3})
            self.complete(url)
            paid = wait(lambda: self.api("GET", f"/invoices/{invoice_id}"), lambda body: body["status"] == "paid")
            told = wait(lambda: self.entries_of("payment.succeeded"), lambda entries: len(entries) > before)
            must(len(told) == before + 1 and paid["amount_due_minor"] == 0, "the payment counts more than once")
            proof.append("paid, booked once")

    def check_walls(self, invoice_id: str) -> None:
        """Another organisation sees nothing of it."""
        with self.step("Another organisation sees nothing") as proof:
            names = {"first_name": "Eve", "last_name": "Other", "tenant_name": f"Other {self.tag}"}
            self.token = ""
            email = f"eve-{self.tag}@example.test"
            other = self.api("POST", "/auth/signup", expect=201, body={"email": email, "password": PASSWORD, **names})
            key = other["tenant"]["key"]
            wait(lambda: self.api("GET", f"/auth/signup/{key}"), lambda body: body["status"] == "ACTIVE")
            self.token = self.api("POST", "/auth/signin", body={"email": email, "password": PASSWORD})["access"]
            self.api("GET", f"/invoices/{invoice_id}", expect=404)
            host = f"{self.tenant['slug']}.localhost"
            self.call("GET", "/api/v1/invoices", expect=403, host=host)
            proof.append("404 by id, 403 on the other host")

    def mail_about(self, *words: str) -> str:
        """The path of a mail to the customer or owner that holds one of `words`."""

        def found() -> str:
            for file in sorted(self.mail.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True):
                text = file.read_text(errors="replace")
                if any(word in text for word in words) and "ap@ionian.test" in text:
                    return str(file)
            return ""

        return str(wait(found, bool))


def must(condition: object, otherwise: str) -> None:
    """Fail the demo unless `condition` holds."""
    if not condition:
        raise DemoFailed(otherwise)


def wait(ask: Callable[[], Any], good: Callable[[Any], object]) -> Any:
    """Ask until the answer is good."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        answer = ask()
        if good(answer):
            return answer
        time.sleep(0.02)
    raise DemoFailed(f"still not so after {WAIT_SECONDS} s: {str(answer)[:200]}")


def _paint(code: str, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if _COLOUR else text


def main() -> int:
    """Run against the platform that the environment names."""
    port = int(os.environ.get("PORT", "8000"))
    story = Story(
        port,
        int(os.environ.get("SANDBOX_PORT", port + 2)),
        int(os.environ.get("REALTIME_PORT", port + 1)),
        Path(os.environ.get("INSULA_DATA", ".data")).resolve(),
    )
    try:
        story.run()
    except (DemoFailed, httpx.HTTPError, OSError, TimeoutError) as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1
    print("Everything is as it must be.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
