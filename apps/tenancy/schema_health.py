"""What operators want to know of all schemas at once: who is behind, who failed, who differs, who is stuck."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Min, Q, QuerySet

from apps.core.clock import utcnow
from apps.tenancy import pool
from apps.tenancy.models import SchemaReport, SchemaTemplate, Tenant, TenantStatus
from apps.tenancy.pending import Kind, digest_of, schemas_behind, wanted_migrations
from apps.tenancy.pool import PoolState

SLOW_AFTER = timedelta(minutes=1)
SHOWN = 50


@dataclass(frozen=True, slots=True)
class SchemaRow:
    """One organisation's schema, and what is wrong with it."""

    tenant_id: UUID
    name: str
    schema_name: str
    status: str
    status_label: str
    note: str
    since: datetime | None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class SchemaHealth:
    """The whole; lists hold the first `SHOWN`, counts all."""

    version: str
    template_is_behind: bool
    tenants: int
    behind_count: int
    behind: list[SchemaRow]
    failed_count: int
    drifted_count: int
    drifted: list[SchemaRow]
    never_checked: int
    oldest_check: datetime | None
    stuck_count: int
    stuck: list[SchemaRow]
    pool: PoolState


def schema_health() -> SchemaHealth:
    """Everything from shared tables; no tenant's schema is opened."""
    template = SchemaTemplate.objects.order_by("-created_at").first()
    units = schemas_behind(digest_of(wanted_migrations()))
    behind_names = [unit.schema_name for unit in units if unit.kind is Kind.TENANT]
    reports = {report.schema_name: report for report in SchemaReport.objects.filter(schema_name__in=behind_names)}
    made = Tenant.objects.exclude(schema_version="")
    of_made = SchemaReport.objects.filter(schema_name__in=made.values("schema_name"))
    drifted, checked = of_made.exclude(drift=""), of_made.exclude(checked_at=None)
    stuck = _stuck()
    return SchemaHealth(
        version=template.version[:12] if template else "",
        template_is_behind=any(unit.kind is Kind.TEMPLATE for unit in units),
        tenants=made.count(),
        behind_count=len(behind_names),
        behind=_behind_rows(behind_names, reports),
        failed_count=sum(1 for report in reports.values() if report.failure),
        drifted_count=drifted.count(),
        drifted=_drifted_rows(drifted),
        never_checked=made.count() - checked.count(),
        oldest_check=checked.aggregate(Min("checked_at"))["checked_at__min"],
        stuck_count=stuck.count(),
        stuck=[
            _row(tenant, tenant.status_reason or tenant.get_provisioning_step_display(), tenant.provisioning_started_at)
            for tenant in stuck[:SHOWN]
        ],
        pool=pool.state(),
    )


def _behind_rows(names: list[str], reports: dict[str, SchemaReport]) -> list[SchemaRow]:
    # Those with a reason first: they need somebody, the others only the next run.
    shown = sorted(names, key=lambda name: not (name in reports and reports[name].failure))[:SHOWN]
    tenants = _by_schema(shown)
    return [_behind(tenants[name], reports.get(name)) for name in shown if name in tenants]


def _drifted_rows(drifted: QuerySet[SchemaReport]) -> list[SchemaRow]:
    shown = list(drifted.order_by("schema_name")[:SHOWN])
    tenants = _by_schema([report.schema_name for report in shown])
    return [
        _row(tenants[report.schema_name], report.drift, report.checked_at)
        for report in shown
        if report.schema_name in tenants
    ]


def _stuck() -> QuerySet[Tenant]:
    failed = Q(status=TenantStatus.PROVISIONING_FAILED)
    slow = Q(status=TenantStatus.PROVISIONING, provisioning_started_at__lt=utcnow() - SLOW_AFTER)
    found: QuerySet[Tenant] = Tenant.objects.filter(failed | slow).order_by("provisioning_started_at")
    return found


def _by_schema(names: list[str]) -> dict[str, Tenant]:
    return {tenant.schema_name: tenant for tenant in Tenant.objects.filter(schema_name__in=names)}


def _behind(tenant: Tenant, report: SchemaReport | None) -> SchemaRow:
    if report is None or not report.failure:
        return _row(tenant, "", None)
    return _row(tenant, report.failure, report.failed_at, report.attempts)


def _row(tenant: Tenant, note: str, since: datetime | None, attempts: int = 0) -> SchemaRow:
    label = tenant.get_status_display()
    return SchemaRow(tenant.id, tenant.name, tenant.schema_name, tenant.status, label, note, since, attempts)
