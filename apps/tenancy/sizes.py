"""How much room tenants' schemas take, asked for many at a time and remembered for a while."""

from contextlib import suppress

from django.core.cache import cache
from django.db import connection
from redis.exceptions import RedisError

from apps.core.tenants import public_scope

REMEMBERED_SECONDS = 600

# Table, indexes and the store for long values of each; needs no right on any of them.
_SIZES = """
select n.nspname, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
  from pg_namespace n left join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'm')
 where n.nspname = any(%s)
 group by n.nspname
"""


def sizes_of(schemas: list[str]) -> dict[str, int]:
    """Bytes by schema, up to ten minutes old; a schema that does not exist is left out."""
    known: dict[str, int] = {}
    with suppress(RedisError, OSError):
        known = {key.rpartition(":")[2]: size for key, size in cache.get_many([_key(name) for name in schemas]).items()}
    missing = [name for name in schemas if name not in known]
    if missing:
        with public_scope(), connection.cursor() as cursor:
            cursor.execute(_SIZES, [missing])
            found = dict(cursor.fetchall())
        known |= found
        with suppress(RedisError, OSError):
            cache.set_many({_key(name): size for name, size in found.items()}, REMEMBERED_SECONDS)
    return known


def _key(schema: str) -> str:
    return f"tenancy:size:{schema}"
