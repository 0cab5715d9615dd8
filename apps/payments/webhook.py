"""Where Stripe tells of customers' payments: verify, store once, answer; everything else happens from the row."""

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.core.errors import BodyTooLarge, DomainError, ValidationFailed
from apps.core.jobs import wake
from apps.core.rest import problems
from apps.payments import inbox, tasks
from apps.payments.gateways.registry import CHECKOUT

logger = structlog.get_logger(__name__)

# Stripe's largest events are some dozens of kilobytes.
MOST_BYTES = 512 * 1024


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> JsonResponse:
    """200 once the event is stored, also when it was before; 400 for anything that Stripe did not sign."""
    try:
        message = CHECKOUT.read_message(_body(request), request.headers.get("Stripe-Signature", ""))
    except DomainError as error:
        logger.warning("payments.webhook_refused", code=error.code)
        return problems.respond(request, error)
    with transaction.atomic():
        event_row_id = inbox.receive(provider=CHECKOUT.name, message=message)
        if event_row_id is not None:
            wake(tasks.process_gateway_event, event_row_id)
    return JsonResponse({"received": True})


def _body(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MOST_BYTES:
        raise BodyTooLarge
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise BodyTooLarge from error
    except UnreadablePostError as error:
        raise ValidationFailed.one("body", "incomplete", "The body did not arrive whole.") from error
    if len(body) > MOST_BYTES:
        raise BodyTooLarge
    return body
