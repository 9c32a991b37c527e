"""Judge how far an account and its tenants are from the lines at which SES intervenes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.insight import runway
from chalicelib.insight.day_counts import ByDay, OurDay
from chalicelib.insight.runway import LINES, Kind, Runway, SentDay
from chalicelib.stats.daily import midnight
from dashboard.reconcile.account import MOST_TENANTS, Account, Tenant
from dashboard.reconcile.sources import Ses, day_of

_ONE_DAY = timedelta(days=1)
_TENANT_DAYS = 30
_TENANT_METRICS = ("SEND", "PERMANENT_BOUNCE", "COMPLAINT", "DELIVERY_COMPLAINT")


@dataclass(frozen=True)
class TenantStanding:
    """A tenant, and its last 30 days as VDM counts them; None without VDM."""

    tenant: Tenant
    emails: int | None = None
    runways: Sequence[Runway] = ()


def sent_days(
    ses: Ses, counted: Mapping[str, OurDay], account: Account | None, now: datetime
) -> list[SentDay]:
    """Return what was sent on each of the last days, today first."""
    days = [day_of(now - timedelta(days=number)) for number in range(runway.DAYS)]
    accountable: ByDay | None = None
    if account is not None and account.has_vdm:
        start, end = midnight(date.fromisoformat(days[-1])), midnight(now.date()) + _ONE_DAY
        accountable = ses.optional(
            "VDM's deliveries to providers that report complaints",
            "ses:BatchGetMetricData",
            lambda: ses.account_api.vdm(["DELIVERY_COMPLAINT"], start, end),
        )
    counts = {day: counted.get(day, OurDay()).counts for day in days}
    # Days before VDM was turned on have no such value.
    if accountable is not None and any(
        counts[day].get("deliveries") and day not in accountable for day in days[1:]
    ):
        accountable = None
    return [
        SentDay(
            max(0, counts[day].get("sends", 0) - counts[day].get("prevented", 0)),
            counts[day].get("hard_bounces", 0),
            counts[day].get("complaints", 0),
            None if accountable is None else accountable.get(day, {}).get("DELIVERY_COMPLAINT", 0),
        )
        for day in days
    ]


def standings(ses: Ses, account: Account | None, now: datetime) -> list[TenantStanding]:
    """Return the tenants, and with VDM how far each is from SES's lines."""
    listed = ses.optional(
        "SES's tenants", "ses:ListTenants and ses:GetReputationEntity", ses.account_api.tenants
    )
    if not listed:
        return []
    if len(listed) == MOST_TENANTS:
        ses.notes.append(f"only the first {MOST_TENANTS} tenants are shown")
    if account is None or not account.has_vdm:
        return [TenantStanding(one) for one in listed]
    return [_standing(ses, one, now) for one in listed]


def _standing(ses: Ses, tenant: Tenant, now: datetime) -> TenantStanding:
    end = midnight(now.date()) + _ONE_DAY
    found = ses.optional(
        f"VDM's metrics of the tenant {tenant.name}",
        "ses:BatchGetMetricData",
        lambda: ses.account_api.vdm(
            _TENANT_METRICS, end - timedelta(days=_TENANT_DAYS), end, ("TENANT_NAME", tenant.name)
        ),
    )
    if found is None:
        return TenantStanding(tenant)
    sends, bounces, complaints, accountable = (
        sum(one.get(metric, 0) for one in found.values()) for metric in _TENANT_METRICS
    )
    days = [SentDay(sends, bounces, complaints, accountable)]
    rates: dict[Kind, float] = {}
    if sends:
        rates["bounces"] = bounces / sends
    if accountable:
        rates["complaints"] = complaints / accountable
    return TenantStanding(
        tenant, sends, [runway.runway(kind, rates[kind], days) for kind in LINES if kind in rates]
    )
