"""What somebody writes by hand for this one endpoint: FastAPI, asyncpg, a verified token, row-level security.

Environment: ``BENCH_DSN`` (asyncpg's), ``BENCH_PUBLIC_KEY`` (PEM), ``BENCH_ISSUER``, ``BENCH_AUDIENCE``, ``BENCH_URL``
(where the tenant's links lead), ``PGAPPNAME``.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import asyncpg
import jwt
import orjson
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response

KEY = load_pem_public_key(os.environ["BENCH_PUBLIC_KEY"].encode())
ISSUER, AUDIENCE, URL = os.environ["BENCH_ISSUER"], os.environ["BENCH_AUDIENCE"], os.environ["BENCH_URL"]
READERS = {"OWNER", "ADMIN", "ACCOUNTANT", "MEMBER", "VIEWER"}

_CALLER = """
SELECT m.role, t.schema_name, t.time_zone
  FROM public.iam_token_family f
  JOIN public.iam_user u ON u.id = f.user_id
  JOIN public.tenancy_tenant t ON t.id = f.tenant_id
  JOIN public.iam_membership m ON m.user_id = f.user_id AND m.tenant_id = f.tenant_id AND m.status = 'ACTIVE'
 WHERE f.id = $1 AND f.user_id = $2 AND f.tenant_id = $3 AND f.revoked_at IS NULL AND u.is_active
   AND t.status = 'ACTIVE' AND (u.tokens_valid_after IS NULL OR f.started_at >= u.tokens_valid_after)
"""
_ENTER = """
SELECT set_config('search_path', $1, true), set_config('app.tenant_id', $2, true), set_config('role', $1, true)
"""
_ROWS = """
SELECT i.id, number, version, status, sent_at, viewed_at, finalized_at, paid_at, voided_at, uncollectible_at, brand_id,
       i.currency, issue_date, due_date, subtotal_minor, discount_minor, tax_minor, total_minor, paid_minor, link_token,
       i.created_at, i.updated_at, c.id AS client_id,
       CASE WHEN status = 'DRAFT' THEN c.name ELSE client_name END AS buyer
  FROM invoices_invoice i JOIN invoices_client c ON c.id = i.client_id
 WHERE $2::uuid IS NULL OR i.id < $2
 ORDER BY i.id DESC LIMIT $1
"""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold a pool of connections."""
    names = {"application_name": os.environ["PGAPPNAME"]}
    app.state.pool = await asyncpg.create_pool(os.environ["BENCH_DSN"], min_size=4, max_size=20, server_settings=names)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


async def claims(authorization: Annotated[str, Header()]) -> dict[str, Any]:
    """What the verified token says. A coroutine, because FastAPI runs a plain function in a thread."""
    try:
        verified: dict[str, Any] = jwt.decode(
            authorization.removeprefix("Bearer "),
            KEY,  # type: ignore[arg-type]
            algorithms=["RS256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "sub", "sid"], "verify_iat": False},
        )
    except jwt.InvalidTokenError as error:
        raise HTTPException(401) from error
    return verified


@app.get("/invoices")
async def invoices(
    request: Request,
    token: Annotated[dict[str, Any], Depends(claims)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Response:
    """The newest invoices of the caller's tenant, as `InvoiceList` of the product answers."""
    pool: asyncpg.Pool = request.app.state.pool
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        caller = await connection.fetchrow(_CALLER, token["sid"], token["sub"], token["tenant_id"])
        if caller is None:
            raise HTTPException(401)
        if caller["role"] not in READERS:
            raise HTTPException(403)
        await connection.execute(_ENTER, caller["schema_name"], token["tenant_id"])
        rows = await connection.fetch(_ROWS, limit + 1, cursor)
    today = datetime.now(ZoneInfo(caller["time_zone"])).date()
    more = len(rows) > limit
    rows = rows[:limit]
    body = {
        "data": [_shown(row, today) for row in rows],
        "next_cursor": str(rows[-1]["id"]) if more else None,
        "has_more": more,
    }
    return Response(orjson.dumps(body, default=str, option=orjson.OPT_UTC_Z), media_type="application/json")


def _shown(row: asyncpg.Record, today: date) -> dict[str, Any]:
    status, paid, total, link = row["status"], row["paid_minor"], row["total_minor"], row["link_token"]
    is_open = status == "OPEN"
    return {
        "id": row["id"],
        "number": row["number"],
        "version": row["version"],
        "is_overdue": is_open and row["due_date"] < today,
        "is_partially_paid": is_open and paid > 0,
        "sent_at": row["sent_at"],
        "viewed_at": row["viewed_at"],
        "finalized_at": row["finalized_at"],
        "paid_at": row["paid_at"],
        "voided_at": row["voided_at"],
        "uncollectible_at": row["uncollectible_at"],
        "brand_id": row["brand_id"],
        "currency": row["currency"],
        "issue_date": row["issue_date"],
        "due_date": row["due_date"],
        "subtotal_minor": row["subtotal_minor"],
        "discount_minor": row["discount_minor"],
        "tax_minor": row["tax_minor"],
        "total_minor": total,
        "amount_paid_minor": paid,
        "amount_due_minor": max(0, total - paid),
        "surplus_minor": max(0, paid - total),
        "hosted_url": f"{URL}/i/{link}/" if link else None,
        "pdf_url": f"{URL}/api/v1/invoices/{row['id']}/pdf" if link else None,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "status": status.lower(),
        "client": {"id": row["client_id"], "name": row["buyer"]},
        "allowed_actions": _actions(status, paid, row["sent_at"]),
    }


def _actions(status: str, paid: int, sent_at: datetime | None) -> list[str]:
    match status:
        case "DRAFT":
            return ["finalize", "edit", "delete", "duplicate"]
        case "OPEN":
            actions = ["send", "pay", "record_payment", "uncollectible", "duplicate"]
        case "UNCOLLECTIBLE":
            actions = ["pay", "record_payment", "duplicate"]
        case "PAID":
            actions = ["duplicate"] if sent_at else ["send", "duplicate"]
        case _:
            return ["duplicate"]
    return [*actions, "void"] if paid == 0 else actions
