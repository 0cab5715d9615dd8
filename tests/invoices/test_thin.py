"""The list without models says what the list with them says."""

from apps.core.rest.paging import PageRequest, paginate
from apps.invoices import projections, thin
from apps.invoices.models import Invoice
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
        rows = thin.newest(first)
        second = PageRequest(limit=2, after=rows.rows[-1].id)
        for request in (first, second):
            few = thin.newest(request)
            whole = paginate(Invoice.objects.select_related("client"), request)
            assert few.next_cursor == whole.next_cursor
            assert projections.summaries(few.rows, acme) == projections.summaries(whole.rows, acme)


def test_every_column_of_a_thin_row_is_the_models() -> None:
    columns = {field.attname for field in Invoice._meta.concrete_fields}
    assert set(thin.ThinInvoice._fields[:-3]) <= columns
