"""CPU of one answer by the long way and by the short one, for every list that is declared for it, in one process."""

import time
from collections.abc import Callable
from statistics import median

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import RequestFactory, override_settings

from apps.core.clock import utcnow
from apps.payments.models import Refund
from tests.api.test_thin_lists import READS
from tests.bench.conftest import Measured
from tests.bench.load import cpu_seconds
from tests.factories import invoices as invoicing
from tests.factories.notifications import tell
from tests.factories.payments import make_manual
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import NewTenant, actor_of, in_tenant

ROWS, ANSWERS, ROUNDS = 20, 100, 7
THIN = "apps.iam.thin_reads.ThinReadMiddleware"


def test_both_ways(committed: NewTenant, api: ApiFor, measured: Measured) -> None:
    tenant = committed("Twice")
    owner = actor_of(tenant)
    for number in range(ROWS):
        paid = make_manual(tenant, paid_at=utcnow())
        with in_tenant(tenant):
            invoicing.make_open(owner)
            Refund.objects.create(payment_id=paid, amount_minor=1 + number, currency="EUR")
        tell(tenant, f"Number {number}")
    credentials = api(tenant)._credentials["HTTP_AUTHORIZATION"]
    counted = {**settings.RATE_LIMITS, "user": (10**7, 3600), "workspace": (10**7, 3600)}
    with override_settings(RATE_LIMITS_ENFORCED=True, RATE_LIMITS=counted):
        short = WSGIHandler()
        with override_settings(MIDDLEWARE=[name for name in settings.MIDDLEWARE if name != THIN]):
            long = WSGIHandler()
        for path in READS:
            ways = [_asking(way, path, credentials) for way in (long, short)]
            first, learned, answer = ways[0](), ways[1](), ways[1]()
            assert first == learned == answer and answer.count(b'"created_at"') + answer.count(b'"occurred_at"') >= ROWS
            taken = [[_milliseconds(ask) for ask in ways] for _ in range(ROUNDS)]
            for what, number in (("process", 0), ("database", 1)):
                figures = [median(turn[way][number] for turn in taken) for way in range(2)]
                measured(f"{path}, CPU of the {what}", f"{figures[0]:.2f} → {figures[1]:.2f} ms")


def _asking(way: WSGIHandler, path: str, credentials: str) -> Callable[[], bytes]:
    factory = RequestFactory(SERVER_NAME=settings.PLATFORM_HOST, HTTP_AUTHORIZATION=credentials)

    def ask() -> bytes:
        answer = way(factory.get(path).environ, lambda *_: None)
        try:
            return b"".join(answer)
        finally:
            answer.close()

    return ask


def _milliseconds(ask: Callable[[], object]) -> tuple[float, float]:
    """CPU of this process and of its database process for one answer."""
    backend = connection.connection.info.backend_pid
    theirs, own = cpu_seconds([backend]), time.process_time()
    for _ in range(ANSWERS):
        ask()
    assert connection.connection.info.backend_pid == backend
    return (time.process_time() - own) * 1000 / ANSWERS, (cpu_seconds([backend]) - theirs) * 1000 / ANSWERS
