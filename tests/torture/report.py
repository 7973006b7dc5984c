"""What a campaign counts and finds."""

import json
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Report:
    """What came of a campaign: counts, and a sentence for everything that was wrong."""

    seed: int = 0
    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    processes: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    changes_taken_back: int = 0
    videos_checked: int = 0
    frames_checked: int = 0
    stale_frames: int = 0
    settled: int = 0
    compared: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(vars(self), indent=1)
