"""CPU time of what a process does by itself: PDFs, and knowing who asks."""

import itertools
import time
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from apps.core.actor import Origin
from apps.core.documents.fonts import prepare_fonts
from apps.iam import selectors as iam
from apps.iam import tokens
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
    verified = milliseconds(lambda: tokens.read_access(token), times=500)
    known = milliseconds(lambda: iam.identity_of_token(token, Origin()), times=500)
    measured("verifying an access token (RS256)", f"{verified * 1000:.0f} µs")
    measured("from token to actor and tenant, one statement included", f"{known * 1000:.0f} µs")
