"""Which video a machine takes next: machines that go through one list would else all wait for its first."""

import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain

from pipeline.contract.errors import PipelineError

NEAR = 32
"""So far from its place in the list a video may be: machines that begin at one moment see of each other nothing yet."""


def spread(video_ids: Sequence[str]) -> list[str]:
    """Return videos in an order of this machine's own, which keeps to the given one from some videos to the next."""
    blocks = (video_ids[begin : begin + NEAR] for begin in range(0, len(video_ids), NEAR))
    return list(chain.from_iterable(random.sample(block, len(block)) for block in blocks))


def take_free(waiting: deque[str], is_held: Callable[[str], bool]) -> str:
    """Take the first video that nobody works on out of a line, the first of all where every one is worked on.

    Those that were passed over go to the end of the line, as whoever works on them needs a while.
    """
    for _ in range(len(waiting)):
        video_id = waiting.popleft()
        with suppress(PipelineError):  # which its build says
            if is_held(video_id):
                waiting.append(video_id)
                continue
        return video_id
    return waiting.popleft()
