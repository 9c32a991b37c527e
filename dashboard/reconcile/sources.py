"""Read what SES has counted: its metrics in CloudWatch and in Virtual Deliverability Manager."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws.ses_metrics import SesMetrics
from chalicelib.errors import AwsError, CommandError
from chalicelib.insight.day_counts import ENGAGEMENT_METRICS, METRICS, ByDay, TheirDay
from chalicelib.insight.runway import Kind
from chalicelib.stats import daily
from chalicelib.stats.daily import midnight
from dashboard.aws_session import Clients, Service
from dashboard.deploy import stack
from dashboard.installation import Installation
from dashboard.reconcile.account import SesAccount

_DENIED = daily.DENIED | {"UnauthorizedOperation", "ACCESS_DENIED"}

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """What to compare.

    Attributes:
        first, last: days that are over.
        facts: whether to read the facts, which explain more.
        configuration_set: the configuration set of which CloudWatch has metrics; None for the
            account.
    """

    first: date
    last: date
    facts: bool = False
    configuration_set: str | None = None


@dataclass
class Ses:
    """SES and CloudWatch in the region in which SES sends.

    Attributes:
        named: the configuration set that the stage was deployed with; None for all.
        notes: is filled with what could not be read.
    """

    region: str
    clients: Clients
    named: str | None
    notes: list[str] = field(default_factory=list)

    @property
    def account_api(self) -> SesAccount:
        """SES's API."""
        return SesAccount(Service("sesv2", self.clients))

    def metrics(self, configuration_set: str | None = None) -> SesMetrics:
        """Return SES's metrics in CloudWatch."""
        return SesMetrics(Service("cloudwatch", self.clients), configuration_set)

    def optional(self, what: str, action: str, read: Callable[[], T]) -> T | None:
        """Return what a call returns; None, and a note, if it fails."""
        try:
            return read()
        except AwsError as error:
            why = f"grant {action}" if error.code in _DENIED else str(error)
            note = f"{what} could not be read: {why}"
            if note not in self.notes:
                self.notes.append(note)
            return None


def find_ses(installation: Installation) -> Ses:
    """Return SES in the region of the stage's topic: SES publishes only to topics of its region."""
    region, named, notes = installation.config.region, None, []
    try:
        found = installation.clients("cloudformation").describe_stacks(
            StackName=stack.stack_name(installation.stage)
        )["Stacks"][0]
    except (ClientError, BotoCoreError) as error:
        notes.append(f"the stack could not be read, so SES is assumed in {region}: {error}")
        return Ses(region, installation.clients, None, notes)
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}
    if parameters.get("ConfigurationSetName", "*") != "*":
        named = parameters["ConfigurationSetName"]
    of_topic = outputs.get("TopicArn", "").split(":")[3:4]
    clients = installation.clients
    if of_topic and of_topic[0] != region:
        region, clients = of_topic[0], partial(clients, region_name=of_topic[0])
    return Ses(region, clients, named, notes)


def published(ses: Ses, request: Request, now: datetime) -> dict[str, TheirDay]:
    """Return CloudWatch's metrics, including the days before the first one and after the last."""
    metrics = ses.metrics(request.configuration_set)
    try:
        return daily.read_theirs(metrics, request.first, request.last, now)
    except AwsError as error:
        if error.code in _DENIED:
            raise CommandError(
                f"SES's metrics in {ses.region} cannot be read ({error}): grant "
                "cloudwatch:GetMetricData to the user that runs `reconcile`"
            ) from error
        raise


def rates(ses: Ses, now: datetime) -> dict[Kind, float]:
    """Return the newest reputation rates of the account, as fractions."""
    return daily.read_rates(ses.metrics(), now)


def vdm(
    ses: Ses, request: Request, *, has_engagement: bool
) -> tuple[dict[str, TheirDay], ByDay] | None:
    """Return VDM's counts of our configuration set, and those of all others; None if unreadable.

    Where the stage counts every configuration set, all counts are ours.

    Args:
        ses: SES.
        request: the days.
        has_engagement: whether VDM counts opens and clicks.
    """
    name = request.configuration_set or ses.named
    metrics = {
        one.ses: one.name
        for one in METRICS["vdm"]
        if has_engagement or one.name not in ENGAGEMENT_METRICS
    }
    mine = _vdm(ses, request, name, metrics)
    if mine is None:
        return None
    days = {day: TheirDay(one) for day, one in mine.items()}
    # With --configuration-set, CloudWatch's metrics have no emails of other ones either.
    if ses.named is None or request.configuration_set is not None:
        return days, {}
    every = _vdm(ses, request, None, metrics) or {}
    return days, {
        day: {name: max(0, one - mine.get(day, {}).get(name, 0)) for name, one in counts.items()}
        for day, counts in every.items()
    }


def _vdm(
    ses: Ses, request: Request, name: str | None, metrics: Mapping[str, str]
) -> dict[str, dict[str, int]] | None:
    """Return VDM's counts by day and by our names of the metrics; None if they cannot be read.

    Args:
        ses: SES.
        request: the days.
        name: the configuration set; None for all of the account.
        metrics: our names by VDM's.
    """
    found = ses.optional(
        "VDM's metrics",
        "ses:BatchGetMetricData",
        lambda: ses.account_api.vdm(
            list(metrics),
            midnight(request.first - timedelta(days=1)),
            midnight(request.last + timedelta(days=2)),
            None if name is None else ("CONFIGURATION_SET", name),
        ),
    )
    return found and {
        day: {metrics[metric]: one for metric, one in counts.items()}
        for day, counts in found.items()
    }


def day_of(at: datetime) -> str:
    """Return the day of a time, such as `2026-11-28`."""
    return at.date().isoformat()
