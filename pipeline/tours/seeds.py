"""Which tours are for what: seeds to train and tune on, seeds to draw curves on, seeds to report on."""

from pipeline.contract.errors import SettingsError

EVALUATION_SEEDS_START = 1_000_000
"""Seeds from here on are for evaluation only; those below are for training and tuning."""

HELD_OUT_SEEDS = range(900_001, 900_004)
"""Tours that the curve of a training is drawn on: below the seeds that are for evaluation only."""


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
