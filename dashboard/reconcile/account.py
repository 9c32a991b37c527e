"""Read what SES says about an account: its status, its tenants, and its metrics for VDM.

VDM is Virtual Deliverability Manager: https://docs.aws.amazon.com/ses/latest/dg/vdm.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal

from chalicelib.aws.client import Service
from chalicelib.errors import AwsError

Dimension = Literal["CONFIGURATION_SET", "TENANT_NAME"]

MOST_TENANTS = 50
# BatchGetMetricData's limit.
_QUERIES = 10


@dataclass(frozen=True)
class Account:
    """The status of an account.

    Attributes:
        sending: whether it may send.
        enforcement: `HEALTHY`, `PROBATION` (under review) or `SHUTDOWN` (paused), for example.
        has_vdm: whether Virtual Deliverability Manager is on.
        has_engagement: whether it also counts opens and clicks.
    """

    sending: bool
    enforcement: str
    has_vdm: bool
    has_engagement: bool


@dataclass(frozen=True)
class Tenant:
    """A tenant of an account.

    Attributes:
        sending: `ENABLED`, `REINSTATED` or `DISABLED`.
        impact: the highest impact of SES's findings about its reputation, `LOW` or `HIGH`; None if
            there are none.
    """

    name: str
    sending: str
    impact: str | None


class SesAccount:
    """SES's API of an account in one region."""

    def __init__(self, sesv2: Service) -> None:
        self._sesv2 = sesv2

    def account(self) -> Account:
        """Return the status of the account.

        Raises:
            AwsError: it could not be read.
        """
        found = self._sesv2.call("get_account")
        vdm = found.get("VdmAttributes", {})
        has_vdm = vdm.get("VdmEnabled") == "ENABLED"
        engagement = vdm.get("DashboardAttributes", {}).get("EngagementMetrics")
        return Account(
            found.get("SendingEnabled", True),
            found.get("EnforcementStatus", "HEALTHY"),
            has_vdm,
            has_vdm and engagement == "ENABLED",
        )

    def tenants(self) -> list[Tenant]:
        """Return the first tenants, with their reputation.

        Raises:
            AwsError: they could not be read.
        """
        return [self._tenant(one) for one in islice(self._listed_tenants(), MOST_TENANTS)]

    def _listed_tenants(self) -> Iterator[Mapping[str, Any]]:
        asked: dict[str, str] = {}
        while True:
            page = self._sesv2.call("list_tenants", **asked)
            yield from page.get("Tenants", [])
            if not page.get("NextToken"):
                return
            asked = {"NextToken": page["NextToken"]}

    def _tenant(self, listed: Mapping[str, Any]) -> Tenant:
        try:
            entity = self._sesv2.call(
                "get_reputation_entity",
                ReputationEntityReference=listed["TenantArn"],
                ReputationEntityType="RESOURCE",
            )["ReputationEntity"]
        except AwsError as error:
            if error.code != "NotFoundException":
                raise
            entity = {}
        sending = entity.get("SendingStatusAggregate") or listed.get("SendingStatus", "ENABLED")
        return Tenant(listed["TenantName"], sending, entity.get("ReputationImpact"))

    def vdm(
        self,
        metrics: Sequence[str],
        start: datetime,
        end: datetime,
        dimension: tuple[Dimension, str] | None = None,
    ) -> dict[str, dict[str, int]]:
        """Return VDM's metrics by UTC day and metric; what did not happen is missing.

        Args:
            metrics: names such as `SEND`.
            start: the beginning of a day.
            end: the beginning of the day after the last one.
            dimension: the emails to count; None for all of the account.

        Raises:
            AwsError: a metric could not be read.
        """
        found: dict[str, dict[str, int]] = {}
        for first in range(0, len(metrics), _QUERIES):
            queries = [
                {
                    "Id": metric,
                    "Namespace": "VDM",
                    "Metric": metric,
                    "StartDate": start,
                    "EndDate": end,
                    **({"Dimensions": dict([dimension])} if dimension else {}),
                }
                for metric in metrics[first : first + _QUERIES]
            ]
            page = self._sesv2.call("batch_get_metric_data", Queries=queries)
            for error in page.get("Errors", []):
                raise AwsError(
                    error.get("Code", "Unknown"),
                    f"batch_get_metric_data failed for {error.get('Id')}: {error.get('Message')}",
                )
            for result in page.get("Results", []):
                for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                    if start <= at < end:
                        # boto3 returns times in the time zone of this computer.
                        of_day = found.setdefault(at.astimezone(UTC).date().isoformat(), {})
                        of_day[result["Id"]] = of_day.get(result["Id"], 0) + value
        return found
