"""Compute the cost of the scenarios of docs/cost.md, for one step of the code or the next.

    python bench/cost_steps.py                                        the kept measurement
    python bench/cost_steps.py --measure                              this code, measured now
    python bench/cost_steps.py --measure --code ../mailpulse-before   another checkout
    … --keep "1. activity in the push"                                and keep it as a step

Each step is measured on the same arrivals, and priced by this checkout's model. Dollars include
storage for 90 days with point-in-time recovery. --keep writes bench/cost_steps.json, which
bench/cost_document.py shows in docs/cost.md. A measurement takes about twelve minutes.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from dashboard.costs import model

MEASURED = ROOT / "dashboard" / "costs" / "measured.json"
STEPS = ROOT / "bench" / "cost_steps.json"
CAMPAIGNS = {10_000: 50, 100_000: 100, 1_000_000: 500}
MIXED = {"active": 0.25, "visible": 0.35, "hidden": 0.4}


def scenarios(measured: model.Measured) -> dict[str, float]:
    """Return the cost of each scenario in US dollars."""

    def total(
        recipients: int, viewers: int, attention: model.Attention = model.ALL_ACTIVE
    ) -> float:
        return (
            model.campaign(measured, recipients).usd
            + model.viewing(measured, recipients, viewers, 8, attention).usd
            + model.storage(measured, recipients).usd
        )

    return {
        "100,000, 20 viewers": total(100_000, 20),
        "the same at 25/35/40": total(100_000, 20, MIXED),
        "1,000,000, 20 viewers": total(1_000_000, 20),
        "10,000, 1 viewer": total(10_000, 1),
        "idle month": model.standing(measured).usd,
        "viewer's hour": model.viewing(measured, 100_000, 20, 8).usd / (20 * 8),
    }


def measure(code: Path) -> list[dict[str, Any]]:
    """Measure the campaigns with the code of a checkout."""
    with tempfile.TemporaryDirectory() as scratch:
        running = []
        for recipients, rate in CAMPAIGNS.items():
            output = Path(scratch) / f"{recipients}.json"
            command = [
                sys.executable,
                str(ROOT / "bench" / "calls.py"),
                f"--recipients={recipients}",
                f"--rate={rate}",
                f"--output={output}",
            ]
            environment = {**os.environ, "MAILPULSE_CODE": str(code)}
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
            running.append((process, output))
        for process, _ in running:
            if process.wait():
                raise click.ClickException(f"bench/calls.py failed with {process.returncode}")
        return [json.loads(output.read_text()) for _, output in running]


def keep(step: str, usd: Mapping[str, float]) -> None:
    """Keep the costs as a step, in place of an earlier one of the same name."""
    kept = json.loads(STEPS.read_text()) if STEPS.exists() else []
    kept = [one for one in kept if one["step"] != step]
    kept.append({"step": step, "usd": {name: round(one, 5) for name, one in usd.items()}})
    STEPS.write_text(json.dumps(kept, indent=1) + "\n")


@click.command()
@click.option("--measure", "is_measured", is_flag=True, help="Measure now.")
@click.option(
    "--code", type=click.Path(exists=True, path_type=Path), default=ROOT, help="A checkout."
)
@click.option("--keep", "step", help="Keep the costs as a step of this name.")
def main(*, is_measured: bool, code: Path, step: str | None) -> None:
    """Compute the cost of the scenarios."""
    measured = json.loads(MEASURED.read_text())
    if is_measured:
        measured["campaigns"] = measure(code)
    usd = scenarios(measured)
    for name, one in usd.items():
        print(f"{name:<24}{one:>10.4f} $")
    if step:
        keep(step, usd)


if __name__ == "__main__":
    main()
