"""Which clips are learned from, and their samples, each made once."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.contract.progress import Progress, silent
from pipeline.quality.calibration.filmed import KnownClip, kept
from pipeline.quality.calibration.samples import JudgedClip, sample_of, stored
from pipeline.quality.calibration.spoilt import ONCE, SPOILS
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings

HOUSES = tuple(range(40_001, 40_015))
SAMPLES = "samples.jsonl"
NOTHING = "nothing.txt"
"""Names the clips of which no model came, so that they are not tried again."""


def planned(houses: tuple[int, ...] = HOUSES) -> list[tuple[int, str]]:
    """Return house and kind of every clip: each house as in ``ONCE``, and spoilt in two of the other ways, in turn."""
    others = [name for name in SPOILS if name not in ONCE]
    own = [[others[(2 * at + turn) % len(others)] for turn in range(2)] for at in range(len(houses))]
    return [(house, name) for house, two in zip(houses, own, strict=True) for name in (*ONCE, *two)]


def collect(folder: Path, settings: ColmapSettings, progress: Progress = silent) -> list[JudgedClip]:
    """Return the samples of rendered houses, made only as far as ``folder`` does not hold them."""
    clips = planned()
    for done, (house, kind) in enumerate(clips):
        progress("calibration", done, len(clips), f"house {house}, {kind}")
        if (f"house-{house}", kind) in _known(folder):
            continue
        clip, other = (kept(seed, folder / "clips") for seed in (house, _neighbour(house)))
        _add(folder, SPOILS[kind](clip, other), f"house-{house}", kind, settings)
    return list(stored(folder / SAMPLES))


def _add(folder: Path, clip: KnownClip, group: str, kind: str, settings: ColmapSettings) -> None:
    sample = sample_of(clip, group, kind, settings)
    path, line = (
        (folder / NOTHING, f"{group} {kind}") if sample is None else (folder / SAMPLES, sample.model_dump_json())
    )
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{line}\n")


def _known(folder: Path) -> set[tuple[str, str]]:
    made = {(sample.group, sample.kind) for sample in stored(folder / SAMPLES)}
    return made | {(line.partition(" ")[0], line.partition(" ")[2]) for line in _lines(folder / NOTHING)}


def _lines(path: Path) -> Iterator[str]:
    yield from path.read_text(encoding="utf-8").splitlines() if path.exists() else ()


def _neighbour(house: int) -> int:
    """Return the house that is mixed in."""
    return HOUSES[(HOUSES.index(house) + 1) % len(HOUSES)]
