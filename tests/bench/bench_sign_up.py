"""From sending the sign-up's form to the new workspace's dashboard in the browser, over HTTP on the real processes."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings

from apps.tenancy import selectors
from apps.tenancy.models import PooledSchema, Tenant
from apps.tenancy.selectors import TenantView
from tests.bench.conftest import Measured
from tests.fixtures.processes import wait_until
from tests.fixtures.stack import PARTS, Stack
from tests.fixtures.tenants import PASSWORD, remove

TIMES = 12
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Visitor:
    """A browser without scripts: cookies of each host, redirects from host to host."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._hosts: dict[str, httpx.Client] = {}

    def send(self, method: str, url: str, **options: object) -> httpx.Response:
        """One request to the host that `url` names."""
        place = urlsplit(url)
        client = self._hosts.setdefault(str(place.hostname), httpx.Client(base_url=self._stack.url, timeout=30))
        path = f"{place.path}?{place.query}" if place.query else place.path
        return client.request(method, path, headers={"Host": place.netloc}, **options)  # type: ignore[arg-type]

    def close(self) -> None:
        """Close every connection."""
        for client in self._hosts.values():
            client.close()


@pytest.fixture
def pooled(database_name: str, tmp_path: Path, committed: Callable[[str], TenantView]) -> Iterator[Stack]:
    """The running product with schemas in stock; what was signed up is removed afterwards."""
    made = Stack(database_name, tmp_path, TENANT_POOL_SIZE=str(2 * TIMES))
    before = set(Tenant.objects.values_list("pk", flat=True))
    with ExitStack() as cleanup:
        cleanup.callback(made.stop)
        made.ensure(*PARTS)
        yield made
        made.stop()
        for row in Tenant.objects.exclude(pk__in=before):
            remove(selectors.view(row))


def test_from_the_form_to_the_dashboard(pooled: Stack, measured: Measured) -> None:
    ready = PooledSchema.objects.filter(status="READY")
    pooled.run_task("tenancy.refill_pool", "provisioning")
    wait_until(lambda: ready.count() >= TIMES + 2, what="schemas in stock")
    taken = [_sign_up(pooled, number) for number in range(TIMES)][2:]
    measured("sign-up's form sent to dashboard received, median", f"{median(taken):.0f} ms")
    measured("sign-up's form sent to dashboard received, slowest", f"{max(taken):.0f} ms")


def _sign_up(stack: Stack, number: int) -> float:
    visitor = Visitor(stack)
    form = f"http://{settings.PLATFORM_HOST}:{stack.port}/sign-up/"
    token = CSRF.search(visitor.send("GET", form).text)
    assert token
    fields = {"first_name": "Mira", "last_name": "Okafor", "email": f"bench{number}@sign-up.test"}
    fields |= {"password": PASSWORD, "tenant_name": f"Bench {number}", "csrfmiddlewaretoken": token[1]}
    began = time.perf_counter()
    answer = visitor.send("POST", form, data=fields)
    progress = f"http://{settings.PLATFORM_HOST}:{stack.port}{answer.headers['Location']}"
    while (answer := visitor.send("GET", progress)).status_code == 200:
        assert time.perf_counter() - began < 60
        time.sleep(0.01)
    url = progress
    while answer.status_code in (302, 303):
        place = urlsplit(answer.headers["Location"])
        url = place.geturl() if place.netloc else urlsplit(url)._replace(path=place.path, query=place.query).geturl()
        answer = visitor.send("GET", url)
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200 and f"Bench {number}" in answer.text, answer.text[:500]
    visitor.close()
    return took
