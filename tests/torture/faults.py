"""What may happen to a process of the campaign, drawn at random."""

import errno
import random
from collections.abc import Mapping
from dataclasses import dataclass

from tests.torture.preload import NOTHING, Calls, Failing

READS = (errno.EIO, errno.EMFILE, errno.ESTALE, errno.EACCES)
WRITES = (errno.ENOSPC, errno.EIO, errno.ESTALE, errno.EDQUOT)
CALLS_OF_A_BUILD = 400
"""About as many calls of a kind as a build of one video makes below the data folder."""


@dataclass(frozen=True)
class Fault:
    """A fault: its kind, when it strikes in seconds after the start, and which calls fail.

    kind: ``none``, ``kill``, ``term``, ``stop`` (and go on after a while), ``error``, ``short`` or ``power``.
    """

    kind: str = "none"
    after_s: float = 0.0
    failing: Failing = NOTHING

    def __str__(self) -> str:
        """Say it in a line."""
        found = self.failing
        what = f" {errno.errorcode.get(found.error, 'half')} {found.calls!s} {found.first}+{found.count}"
        return f"{self.kind} {self.after_s:.2f}s" + (what if found.calls else "")


QUIET = Fault()
KINDS = {"kill": 30, "term": 8, "stop": 8, "error": 26, "short": 5, "power": 20, "none": 3}


def drawn(draw: random.Random, seconds: float, kinds: Mapping[str, int] = KINDS) -> Fault:
    """Draw a fault for a round that would take about ``seconds``; ``kinds``: how often each."""
    kind = draw.choices(list(kinds), list(kinds.values()))[0]
    after_s = draw.uniform(0, seconds)
    if kind not in ("error", "short"):
        return Fault(kind, after_s)
    count = draw.choice((1, 1, 1, 3, 20, 10**9))
    first = int(CALLS_OF_A_BUILD ** draw.random()) if draw.random() < 0.6 else draw.randrange(1, CALLS_OF_A_BUILD)
    if kind == "short":
        return Fault(kind, after_s, Failing(Calls.WRITE, 0, first, count, shorten=True))
    if draw.random() < 0.5:
        calls = draw.choice((Calls.OPEN, Calls.READ, Calls.LOOK, Calls.OPEN | Calls.READ | Calls.LOOK))
        return Fault(kind, after_s, Failing(calls, draw.choice(READS), first, count))
    calls = draw.choice((Calls.WRITE, Calls.NAME, Calls.SYNC, Calls.WRITE | Calls.NAME | Calls.SYNC))
    return Fault(kind, after_s, Failing(calls, draw.choice(WRITES), first, count))
