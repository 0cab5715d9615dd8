"""What a person reads once everything is up."""

from __future__ import annotations

from devserver.environment import Environment
from devserver.layout import Layout

DEMO_PASSWORD = "Insula-demo-1"  # noqa: S105 - known to everyone, accepted by the development settings only
DEMO_OPERATOR = "operator@insula.localhost"
DEMO_OWNER = "owner@northwind.localhost"
DEMO_TENANT = "northwind"


def welcome(layout: Layout, environment: Environment, *, seconds: float, is_cold: bool) -> str:
    """The block of addresses and sign-ins; `seconds` is what the start took."""
    host, port = environment.variables["PLATFORM_HOST"], environment.web_port
    platform, tenant = f"http://{host}:{port}/", f"http://{DEMO_TENANT}.{host}:{port}/"
    stripe = (
        f"stand-in at http://127.0.0.1:{environment.sandbox_port}/"
        if environment.need_sandbox
        else "your own account (STRIPE_SECRET_KEY)"
    )
    rows = {
        "Platform": platform,
        "Demo tenant": f"{tenant}   {DEMO_OWNER}   {DEMO_PASSWORD}",
        "Operators": f"{platform}admin/   {DEMO_OPERATOR}   {DEMO_PASSWORD}",
        "API": f"{platform}api/docs/",
        "Stripe": stripe,
        "Sent mail": layout.root / "mail",
        "Logs": layout.logs,
    }
    rule = "─" * 78
    head = f"Insula is ready after {seconds:.1f} s ({'cold' if is_cold else 'warm'} start). Ctrl-C stops everything."
    return "\n".join(["", rule, head, "", *(f"  {name:<12} {value}" for name, value in rows.items()), rule])
