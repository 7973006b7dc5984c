"""Which tours are for what: seeds to train on, to draw curves on, to tune on, and those that are frozen.

* Below 1,000,000: to train and to tune on.
* 1,000,001 to 1,000,010, *tuning seeds*: never trained on, but thresholds of cuts, the weight of a confidence and that
  chairs are not named were chosen by them, so that their figures are none of unseen tours.
* From 1,100,001 on, *frozen*: nothing is trained, tuned or chosen by them. ``pipeline.tours.frozen`` lets nobody look
  without a purpose, and logs every look.
* 1,500,000 to 1,699,999, not frozen: houses of the rooms that studies of training have learned from and scored on.
"""

from collections.abc import Iterable

from pipeline.contract.errors import SettingsError

SCORED_SEEDS_START = 1_000_000
"""Tours from here on are scored and nothing is trained on them, whether they are for tuning or frozen."""

TUNING_SEEDS = range(1_000_001, 1_000_011)
"""Tours whose figures stand under ``docs/results`` and that settings were chosen by."""

DEFAULT_SEEDS = f"{TUNING_SEEDS[0]}-{TUNING_SEEDS[2]}"
"""What is scored where nobody says what: enough to see whether something broke."""

RULER_SEEDS = "910001-910003"
"""What the suite of tours scores where nobody says what: below those that are scored, to tune the hard half on."""

FROZEN_SEEDS_START = 1_100_001
"""Seeds from here on are frozen, but for those of ``ROOM_SEEDS``."""

ROOM_SEEDS = {
    "train": range(1_500_000, 1_580_000),
    "validation": range(1_580_000, 1_600_000),
    "test": range(1_600_000, 1_700_000),
}
"""Houses of the benchmark of rendered rooms: studies have learned from the first side, stopped by the second and been
scored on the third."""

HELD_OUT_SEEDS = range(900_001, 900_004)
"""Tours that the curve of a training is drawn on: below those that are scored."""


def is_frozen(seed: int) -> bool:
    """Tell whether a tour may be looked at only with a purpose."""
    return seed >= FROZEN_SEEDS_START and not any(seed in side for side in ROOM_SEEDS.values())


def seed_list(text: str) -> list[int]:
    """Turn ``1000001-1000003`` or ``3,5,8`` into seeds.

    Raises:
        SettingsError: the text is neither.
    """
    try:
        ranges = [[int(end) for end in part.split("-")] for part in text.split(",")]
        return [seed for ends in ranges for seed in range(ends[0], ends[-1] + 1)]
    except ValueError as error:
        message = f"seeds {text!r}: write them as 1000001-1000010 or 3,5,8"
        raise SettingsError(message) from error


def seed_text(seeds: Iterable[int]) -> str:
    """Turn seeds into the shortest text that ``seed_list`` reads as the same ones, sorted and each once."""
    runs: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if runs and seed == runs[-1][-1] + 1:
            runs[-1][1:] = [seed]
        else:
            runs.append([seed])
    return ",".join("-".join(map(str, run)) for run in runs)
