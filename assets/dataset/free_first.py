"""Which video a machine takes next: machines that go through one list would else all wait for its first."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from pipeline.contract.errors import PipelineError


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
