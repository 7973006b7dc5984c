"""What a run of all targets came to, as a line while it goes on, as a table and as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fuzz.worker import Tally


def line(tally: Tally, wanted: int, passed_s: float) -> str:
    """Return how far a target is: inputs a second, time left, violations."""
    rate = tally.inputs / max(passed_s, 1e-9)
    left = (wanted - tally.inputs) / max(rate, 1e-9)
    return (
        f"{tally.target:<17} {tally.inputs:>8} of {wanted:<8} {rate:>7.0f}/s  {left:>5.0f} s left  "
        f"{len(tally.violations)} violations"
    )


def table(tallies: Sequence[Tally]) -> str:
    """Return all targets as Markdown."""
    lines = ["| target | inputs | accepted | refused, by type of error | violations | s |", "|---|---|---|---|---|---|"]
    for tally in tallies:
        refused = ", ".join(f"{name} {count}" for name, count in tally.outcomes.most_common() if name != "accepted")
        lines.append(
            f"| {tally.target} | {tally.inputs} | {tally.outcomes['accepted']} | {refused} | {len(tally.violations)} | "
            f"{tally.seconds:.0f} |"
        )
    inputs, violations = sum(t.inputs for t in tallies), sum(len(t.violations) for t in tallies)
    accepted, seconds = sum(t.outcomes["accepted"] for t in tallies), sum(t.seconds for t in tallies)
    return "\n".join([*lines, f"| all | {inputs} | {accepted} | | {violations} | {seconds:.0f} |"])


def as_json(tallies: Sequence[Tally], described: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that was counted."""
    targets = {
        tally.target: {
            "inputs": tally.inputs,
            "outcomes": dict(tally.outcomes.most_common()),
            "violations": [{"seed": seed, "why": why} for seed, why in tally.violations],
            "died": [{"seed": seed, "why": why} for seed, why in tally.died],
            "seconds": round(tally.seconds, 2),
        }
        for tally in tallies
    }
    return {**described, "inputs": sum(tally.inputs for tally in tallies), "targets": targets}
