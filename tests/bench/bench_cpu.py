"""CPU time of what a process does by itself: PDFs, and knowing who asks."""

import base64
import itertools
import time
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings

from apps.core.actor import Origin
from apps.core.documents.fonts import prepare_fonts
from apps.iam import selectors as iam
from apps.iam import tokens
from apps.iam.keys import key_ring
from apps.invoices import documents
from apps.tenancy.selectors import TenantView
from tests.bench.clock import milliseconds
from tests.bench.conftest import Measured
from tests.factories import invoices as invoice_factory
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import actor_of, in_tenant


@pytest.mark.parametrize("lines", [1, 60])
def test_pdf(acme: TenantView, measured: Measured, lines: int) -> None:
    prepare_fonts(Path(settings.FONT_DIR))
    with in_tenant(acme):
        invoice = invoice_factory.make_open(actor_of(acme), lines=(invoice_factory.line(),) * lines)
    # typst remembers what it has set before: every document here says something new.
    numbers = itertools.count()

    def typeset() -> None:
        number = next(numbers)
        rows = tuple(replace(line, description=f"Consulting {number}.{line.position}") for line in invoice.lines)
        documents.typeset(replace(invoice, number=f"B-{number}", notes=f"Thank you {number}", lines=rows))

    taken = milliseconds(typeset, clock=time.process_time)
    measured(f"PDF/A-3 of {lines} line{'s' if lines > 1 else ''}", f"{taken:.0f} ms CPU")


def test_identity(acme: TenantView, api: ApiFor, measured: Measured) -> None:
    token = str(api(acme)._credentials["HTTP_AUTHORIZATION"]).removeprefix("Bearer ")
    head, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    key = key_ring().public[jwt.get_unverified_header(token)["kid"]]

    def anew() -> None:
        tokens._verified.cache_clear()
        tokens.read_access(token)

    for what, action in (
        ("bare RS256 verification", lambda: key.verify(raw, head.encode(), PKCS1v15(), SHA256())),
        ("an access token for the first time: parsed, verified, its claims checked", anew),
        ("an access token that this process has verified before", lambda: tokens.read_access(token)),
        (
            "from such a token to actor and tenant, one statement",
            lambda: iam.identity_of_token(token, Origin()),
        ),
    ):
        taken = milliseconds(action, times=500, clock=time.thread_time)
        measured(what, f"{taken * 1000:.0f} µs CPU of the process, {milliseconds(action, times=500) * 1000:.0f} µs")


@pytest.mark.parametrize(("mebibytes", "passes", "lanes"), [(19, 2, 1), (46, 1, 1), (64, 3, 4), (100, 2, 8)])
def test_hashing_a_password(measured: Measured, mebibytes: int, passes: int, lanes: int) -> None:
    hasher = PasswordHasher(time_cost=passes, memory_cost=mebibytes * 1024, parallelism=lanes)
    taken = milliseconds(lambda: hasher.hash("Insula-test-1"), times=10, clock=time.process_time)
    measured(f"Argon2id, {mebibytes} MiB, t={passes}, p={lanes}", f"{taken:.0f} ms CPU")
