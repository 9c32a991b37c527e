"""Clear a stale pause after a deployment, which enables ingest again."""

from chalicelib.aws.client import Service
from chalicelib.stats.table import StatsTable
from dashboard.progress import Reporter


def end_pause(dynamo: Service, stats_table: str, steps: Reporter) -> None:
    """Clear the pause marker after a deployment, which has enabled ingest again."""
    table = StatsTable(dynamo, stats_table)
    paused_at = table.pipeline.health().paused_at
    if paused_at is not None:
        table.pipeline.resume(paused_at)
        steps.warn(
            f"A recount was killed and left ingest paused since {paused_at}. Ingest was resumed."
        )
