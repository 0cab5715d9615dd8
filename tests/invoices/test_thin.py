"""The list without models says what the list with them says."""

from datetime import date

import pytest

from apps.core.rest.paging import PageRequest, paginate
from apps.invoices import projections, states, thin
from apps.invoices.models import Client, Invoice, InvoiceStatus
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_client, make_draft, make_open
from tests.fixtures.tenants import actor_of, in_tenant


def test_thin_rows_show_what_models_show(acme: TenantView) -> None:
    owner = actor_of(acme)
    with in_tenant(acme):
        client = make_client(owner, name="Nordlys")
        make_open(owner, client_id=client.id)
        make_draft(owner, client_id=client.id)
        make_open(owner)
        first = PageRequest(limit=2)
        rows = thin.NEWEST.page(first)
        second = PageRequest(limit=2, after=rows.rows[-1][0])
        for request in (first, second):
            few = thin.NEWEST.page(request)
            whole = paginate(Invoice.objects.select_related("client"), request)
            assert few.next_cursor == whole.next_cursor
            shown = projections.summaries(few.rows, acme)
            assert shown == projections.summaries(whole.rows, acme)
            for view, model in zip(shown, whole.rows, strict=True):
                assert view.id == model.id
                assert (view.amount_due_minor, view.surplus_minor) == (model.due_minor, model.surplus_minor)


@pytest.mark.parametrize("status", InvoiceStatus.values)
@pytest.mark.parametrize("paid_minor", [0, 40, 100, 130])
def test_what_is_due_is_the_models_word(status: str, paid_minor: int, acme: TenantView) -> None:
    client = Client(name="Nordlys", email="ap@nordlys.test")
    model = Invoice(client=client, status=status, total_minor=100, paid_minor=paid_minor, due_date=date(2020, 1, 31))
    [view] = projections.summaries([model], acme)
    assert (view.amount_due_minor, view.surplus_minor) == (model.due_minor, model.surplus_minor)
    assert view.allowed_actions == tuple(states.allowed_actions(model))
