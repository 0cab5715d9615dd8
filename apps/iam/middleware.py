"""Every request's workspace: which tenant the host or the token means, who asks, and the tenant's transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    UnreadablePostError,
)
from django.shortcuts import render
from django.urls import reverse

from apps.core.clock import utcnow
from apps.core.errors import DomainError, NotFound, PermissionRefused, TenantMismatch
from apps.core.pages import error_page
from apps.core.rest import problems
from apps.core.rest.refusals import MalformedBody
from apps.core.serving import declares
from apps.core.tenants import TenantScope, current_scope, public_scope, tenant_scope, tenant_transaction
from apps.edge import services as edge
from apps.edge.errors import RateLimited
from apps.iam import admission, browser, key_identity, key_secrets, redirects, selectors
from apps.iam.api.authentication import bearer_token
from apps.iam.errors import InvalidToken, MfaDemanded, PasswordChangeRequired, StepUpRequired
from apps.iam.origins import origin_of
from apps.iam.scim import answers as scim_answers
from apps.iam.scim import tokens as scim_tokens
from apps.tenancy import hosts, rollout
from apps.tenancy import selectors as tenancy
from apps.tenancy.default_workspace import default_workspace
from apps.tenancy.errors import TenantNotAvailable
from apps.tenancy.selectors import TenantStatus, TenantView

logger = structlog.get_logger(__name__)

View = Callable[..., HttpResponseBase]

API_PREFIX = "/api/"
# Asked by machines that do not know the platform's name.
HOSTLESS_PREFIXES = ("/health", "/metrics", "/tls/allowed")


# Where one workspace is all there is, these paths of the platform's host are not its own.
PLATFORM_PREFIXES = (API_PREFIX, "/admin/", "/webhooks/", "/sign-up/", "/restore/")


class WorkspaceMiddleware:
    """Sets `request.tenant`, `request.actor`, `request.identity`, `request.origin` and `request.urlconf`.

    Runs the view itself, within the tenant's transaction unless the view declares other terms (`apps.core.serving`).
    """

    sync_capable, async_capable = True, False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponseBase:
        """Find the workspace by the host, and answer."""
        request.origin = origin_of(request, "API" if _is_api(request) else "WEB")
        request.tenant, request.actor, request.identity, request.token_error = None, None, None, None
        request.urlconf = settings.ROOT_URLCONF
        response = self._refuse_host(request) or self.get_response(request)
        edge.describe(request, response)
        return response

    def process_view(self, request: Any, view: View, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """Find out who asks, check that the workspace serves him, and run the view within it."""
        try:
            with ExitStack() as work:
                return self._serve(request, view, args, kwargs, work)
        except DomainError as error:
            return _refusal(request, error)
        except UnreadablePostError:
            return _refusal(request, MalformedBody("The body did not arrive whole."))
        except (DatabaseError, InterfaceError) as error:
            # A constraint may speak only when the transaction ends, after the view.
            refusal = problems.refusal_of(error) if _is_api(request) else None
            if refusal is None:
                raise
            return problems.respond(request, refusal)

    def _serve(self, request: Any, view: View, args: Any, kwargs: Any, work: ExitStack) -> HttpResponseBase | None:
        if _is_api(request):
            if _is_public_api(view):
                edge.enforce(request, None, request.origin.ip)
                return edge.answer_anonymous(request, view, lambda: _rendered(view(request, *args, **kwargs)))
            self._identify_program(request, view, work)
        elif request.tenant is not None and _is_scim(request):
            self._identify_directory(request)
        elif request.tenant is not None:
            self._identify_browser(request)
        else:
            self._identify_operator(request)
        admission.admit(request, view)
        if request.tenant is None:
            if not _is_api(request) or request.actor is None:
                return None
            run = lambda: _rendered(view(request, *args, **kwargs))  # noqa: E731
            return edge.answer_on_platform(request, request.actor, view, run)
        return self._run(request, view, args, kwargs)

    def process_exception(self, request: Any, error: Exception) -> HttpResponseBase | None:
        """Show a domain error of a page on the platform's host as a page; the API and tenants do so themselves."""
        if isinstance(error, DomainError) and not _is_api(request):
            return error_page(request, error)
        return None

    def _refuse_host(self, request: Any) -> HttpResponseBase | None:
        host = hosts.of_request(request.get_host()) or ""
        if request.path.startswith(HOSTLESS_PREFIXES):
            return None
        if host == settings.PLATFORM_HOST:
            if rollout.is_single():
                _serve_the_one(request)
            return None
        tenant = tenancy.tenant_by_host(host) if host else None
        if tenant is None or tenant.status == TenantStatus.DELETED:
            if _is_api(request):
                return problems.respond(request, NotFound("There is no workspace at this address."))
            context = {"host": host, "platform_url": settings.PLATFORM_URL, "is_deleted": tenant is not None}
            return render(request, "errors/workspace_not_found.html", context, status=404)
        moved = host.endswith(f".{settings.PLATFORM_HOST}") and host != tenant.host
        if moved and request.method in ("GET", "HEAD") and not _is_api(request):
            # Temporary, because the old name may be freed and then lead to somebody else.
            return HttpResponseRedirect(f"{tenant.home_url}{request.get_full_path()}")
        request.tenant, request.urlconf = tenant, settings.TENANT_URLCONF
        return None

    def _identify_program(self, request: Any, view: View, work: ExitStack) -> None:
        of_host, request.tenant = request.tenant, None
        token = bearer_token(request)
        if token is None:
            return
        try:
            if key_secrets.is_meant_as_key(token):
                request.identity = key_identity.identity_of_key(token, request, request.origin)
            elif any(declares(view, term, request.method) for term in ("own_transactions", "serves_unready")):
                request.identity = selectors.identity_of_token(token, request.origin)
            else:
                request.identity = work.enter_context(selectors.identified_by_token(token, request.origin))
        except InvalidToken as error:
            # The view's authentication refuses with it, so that the answer is the API's own.
            request.token_error = error
            return
        tenant: TenantView | None = request.identity.tenant
        if of_host is not None and (tenant is None or tenant.id != of_host.id):
            raise TenantMismatch("The access token belongs to another workspace than this host.")
        named = request.headers.get("X-Tenant-ID")
        if named and (tenant is None or named.strip() not in (str(tenant.id), tenant.key)):
            raise TenantMismatch("X-Tenant-ID names another workspace than the access token.")
        request.tenant, request.actor = tenant, request.identity.actor

    def _identify_directory(self, request: Any) -> None:
        try:
            request.directory = scim_tokens.directory_of(
                bearer_token(request), tenant_id=request.tenant.id, origin=origin_of(request, "API")
            )
        except InvalidToken:
            # The view refuses, in SCIM's own form.
            return
        request.actor = request.directory.actor

    def _identify_browser(self, request: Any) -> None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return
        found = selectors.identity_of_session(request.session, request.tenant.id, request.origin)
        if found is None:
            return
        request.identity, request.actor, request.tenant = found, found.actor, found.tenant
        browser.keep_alive(request, now=utcnow())

    def _identify_operator(self, request: Any) -> None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return
        request.actor = selectors.operator_of(request.user, request.origin)

    def _run(self, request: Any, view: View, args: Any, kwargs: Any) -> HttpResponseBase:
        if not request.tenant.is_readable:
            with public_scope():
                return _rendered(view(request, *args, **kwargs))
        scope = request.tenant.scope
        own_transactions = declares(view, "own_transactions")
        try:
            with tenancy.at_work(request.tenant), _within(scope, own_transactions):
                return _answer(request, view, lambda: _rendered(view(request, *args, **kwargs)), own_transactions)
        except (DomainError, Http404, PermissionDenied) as error:
            if _is_api(request):
                raise
            if isinstance(error, StepUpRequired):
                return redirects.to_confirm(request)
            # A transaction of its own: the page around the refusal shows figures of the tenant.
            with tenant_transaction(scope):
                return _rendered(error_page(request, _as_domain_error(error)))


def _within(scope: TenantScope, own_transactions: bool) -> AbstractContextManager[None]:
    if current_scope() == scope:
        return nullcontext()  # knowing who asks has entered it
    return tenant_scope(scope) if own_transactions else tenant_transaction(scope)


def _answer(request: Any, view: View, run: edge.Run, own_transactions: bool) -> HttpResponseBase:
    call = edge.call_of(request, request.actor) if _is_api(request) else None
    if call is not None and not edge.is_open_to(view, request.actor, request.method):
        call = None
    if call is not None and own_transactions:
        return edge.answer_with_lease(request, call, run)
    if call is not None:
        return edge.answer_within_transaction(call, run)
    response = run()
    # An error leaves nothing behind.
    if not own_transactions and edge.is_failure(response):
        transaction.set_rollback(True)
    return response


def _serve_the_one(request: Any) -> None:
    """On the platform's own host there are the one workspace's pages, and the platform's beside them."""
    request.urlconf = settings.SINGLE_URLCONF
    if not request.path.startswith(PLATFORM_PREFIXES):
        request.tenant = tenancy.tenant_by_host(settings.PLATFORM_HOST) or default_workspace()


def _refusal(request: Any, error: DomainError) -> HttpResponseBase:
    if _is_api(request):
        return problems.respond(request, error)
    if _is_scim(request):
        return scim_answers.refusal(error)
    tenant = request.tenant
    if isinstance(error, PasswordChangeRequired):
        return admission.to_own_password(request)
    if isinstance(error, MfaDemanded):
        return redirects.to_second_factor(request)
    if isinstance(error, RateLimited) or tenant is None:
        response = error_page(request, error)
        if "retry_after" in error.extra:
            response["Retry-After"] = str(error.extra["retry_after"])
        return _rendered(response)
    if isinstance(error, TenantNotAvailable) and tenant.status == TenantStatus.PROVISIONING:
        path = reverse("iam:signup-progress", urlconf=settings.ROOT_URLCONF, args=[tenant.key])
        return HttpResponseRedirect(f"{settings.PLATFORM_URL}{path}")
    if isinstance(error, TenantNotAvailable):
        context = {"platform_url": settings.PLATFORM_URL, "workspace": tenant.name}
        return render(request, "errors/workspace_unavailable.html", context, status=error.status)
    with tenant_transaction(tenant.scope):
        return _rendered(error_page(request, error))


def _as_domain_error(error: Exception) -> DomainError:
    if isinstance(error, DomainError):
        return error
    return NotFound() if isinstance(error, Http404) else PermissionRefused()


def _rendered(response: HttpResponseBase) -> HttpResponseBase:
    render_now: Callable[[], HttpResponse] | None = getattr(response, "render", None)
    return render_now() if render_now is not None else response


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith(API_PREFIX)


def _is_scim(request: HttpRequest) -> bool:
    return request.path.startswith(f"{scim_answers.PREFIX}/")


def _is_public_api(view: View) -> bool:
    view_class = getattr(view, "cls", None)
    return view_class is None or not view_class.authentication_classes
