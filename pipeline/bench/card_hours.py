"""Hours of a graphics card for all clips of YouTube-Occ, by profile: computed from operations, run on no card.

``python -m pipeline.bench.card_hours``. What is counted is the work of the networks alone. Structure from motion, plane
sweep, global alignment and all else is done by processors; ``pipeline.bench.geometry`` measures their seconds a clip.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer

from models.bench.operations import counted
from models.bench.san import operations as san_operations
from models.da3.config import Da3Config
from models.dust3r import Dust3rConfig
from models.indoor.places365 import CROPPED_SIDE, Places365
from models.moge.config import MogeConfig
from models.san.config import RELEASED
from models.san.preprocess import resize_short_side
from pipeline.bench.operations import DA3_SMALL, MOGE_SMALL, da3_gflop, dust3r_gflop, moge_gflop
from pipeline.settings import load_settings
from pipeline.stages.indoor_clips.settings import Places365Settings
from pipeline.stages.needed_weights import needed_weights

CLIPS = {22: 381, 23: 270}
"""Clips of YouTube-Occ by their frames: 651 with 14,592 frames in all, taken to be as even as whole frames can be."""

CARDS = {"A100": 312.0, "H100": 989.0, "RTX 4090": 165.0}
"""10^12 operations a second of dense matrix products in bfloat16, as the maker states them."""

OTHERWISE = ("da3_base", "da3_small")
"""Weights that a profile asks only for clips whose cameras structure from motion does not find."""


@dataclass(frozen=True)
class CardHours:
    """What all clips cost a card.

    pflop: 10^15 operations by name of the weights. hours: by card, at the share of its stated rate.
    """

    profile: str
    pflop: Mapping[str, float]
    hours: Mapping[str, float]


def gflop_of(weights: str, frames: int) -> float:
    """Return 10^9 operations of one network over a clip of 640x480 frames.

    Raises:
        KeyError: no profile has weights of that name.
    """
    return {
        "resnet50_places365": lambda: _places365(min(frames, Places365Settings().frames)),
        "dust3r_vitl_512_dpt": lambda: dust3r_gflop(frames, Dust3rConfig()),
        "moge_2_vitb": lambda: moge_gflop(frames, MogeConfig()),
        "moge_2_vits": lambda: moge_gflop(frames, MOGE_SMALL),
        "da3_base": lambda: da3_gflop(frames, Da3Config()),
        "da3_small": lambda: da3_gflop(frames, DA3_SMALL),
        "san_vit_b_16": lambda: frames * _san(),
    }[weights]()


def _places365(frames: int) -> float:
    return counted(lambda: Places365(50)(torch.zeros(frames, 3, CROPPED_SIDE, CROPPED_SIDE))) / 1e9


def _san() -> float:
    size = resize_short_side(torch.zeros(1, 3, 480, 640, device="meta")).shape[2:]
    return san_operations(RELEASED["san_vit_b_16"], tuple(size)) / 1e9


def card_hours(profile: str, share: float) -> list[CardHours]:
    """Return what a profile costs, and where it knows weights for clips without cameras, what it costs if all are such.

    share: of a card's stated rate that the networks reach.
    """
    names = [weights.name for weights in needed_weights(load_settings(profile))]
    work = {name: sum(clips * gflop_of(name, frames) for frames, clips in CLIPS.items()) / 1e6 for name in names}
    usual = {name: pflop for name, pflop in work.items() if name not in OTHERWISE}
    rows = {profile: usual} | ({f"{profile}, cameras of no clip found": work} if usual != work else {})
    return [CardHours(name, pflop, _hours(sum(pflop.values()), share)) for name, pflop in rows.items()]


def _hours(pflop: float, share: float) -> dict[str, float]:
    return {card: pflop * 1e3 / (rate * share) / 3600 for card, rate in CARDS.items()}


def table(rows: list[CardHours], share: float) -> str:
    """Return a table of hours, which says that they are computed."""
    lines = [
        f"| profile | PFLOP | of them | {' | '.join(f'{card}, hours' for card in CARDS)} |",
        f"|---|---|---|{'---|' * len(CARDS)}",
    ]
    for row in rows:
        parts = ", ".join(f"`{name}` {pflop:.2f}" for name, pflop in row.pflop.items())
        hours = " | ".join(f"{hours:.2f}" for hours in row.hours.values())
        lines.append(f"| {row.profile} | {sum(row.pflop.values()):.1f} | {parts} | {hours} |")
    clips, frames = sum(CLIPS.values()), sum(frames * clips for frames, clips in CLIPS.items())
    said = f"Computed, not measured, for {clips} clips with {frames:,} frames: operations over {share:.0%} of "
    return "\n".join([*lines, "", said + "the rate that the maker states for bfloat16."])


def main(
    share: Annotated[float, typer.Option(help="of the stated rate that networks reach", min=0.01, max=1)] = 0.3,
    output: Annotated[Path, typer.Option(help="JSON file of the results")] = Path(".bench/card_hours.json"),
) -> None:
    """Compute what the networks of every profile that fetches weights cost over all of YouTube-Occ."""
    rows = [row for profile in ("youtube_occ", "open", "open_cpu") for row in card_hours(profile, share)]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"share": share, "rows": [asdict(row) for row in rows]}, indent=1))
    typer.echo(table(rows, share))


if __name__ == "__main__":
    typer.run(main)
