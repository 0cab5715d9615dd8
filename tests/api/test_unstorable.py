"""Addresses and cookies with bytes that no column stores are answered like any other that means nothing."""

import pytest
from django.conf import settings
from django.test import Client

from apps.notifications import sockets
from apps.tenancy.selectors import TenantView

# Browsers never send them; http.cookies reads the octal form.
COOKIES = [r'"\000\000\000\000\000\000\000\000"', '"aaaaaaaa\\000"']


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/invoices/"])
@pytest.mark.parametrize("cookie", COOKIES)
def test_a_session_cookie_with_nul_is_nobodys(acme: TenantView, cookie: str, path: str) -> None:
    for host in (acme.host, settings.PLATFORM_HOST):
        client = Client(SERVER_NAME=host, raise_request_exception=False)
        answer = client.get(path, headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"})
        assert answer.status_code in (200, 302, 404)


@pytest.mark.parametrize("cookie", COOKIES)
def test_so_is_a_sockets(acme: TenantView, cookie: str) -> None:
    sent = [(b"host", acme.host.encode()), (b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
    identify = sockets.Handshake.of({"headers": sent}).by_session()
    assert identify is not None
    assert identify() is None


@pytest.mark.parametrize("token", ["%00", "a%00b", "%FF", "x" * 5000, "..%2F", "%F0%9F%98%80"])
def test_a_hosted_link_that_is_none_is_404(acme: TenantView, token: str) -> None:
    client = Client(SERVER_NAME=acme.host, raise_request_exception=False)
    assert client.get(f"/i/{token}/").status_code == 404
    assert client.get(f"/i/{token}/pdf/").status_code == 404
    assert client.post(f"/i/{token}/pay/").status_code == 404
