"""Making tenants' schemas from the template's script."""

from collections.abc import Sequence

from django.db import connections

from apps.core.tenants import owner_transaction
from apps.tenancy.roles import provisioning_sql


def build_schemas(schemas: Sequence[str], script: str, *, using: str) -> None:
    """Make `schemas` and their roles in one transaction and one message each, with all that the template has.

    Raises:
        ValueError: a name that `ids.schema_name` does not make.
        django.db.Error: none of them was made.
    """
    with owner_transaction(using=using), connections[using].cursor() as cursor:
        for schema in schemas:
            cursor.execute(provisioning_sql(schema, script))
