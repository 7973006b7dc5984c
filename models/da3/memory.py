"""What Depth Anything 3 takes of a device's memory for a window of frames, beside its weights."""

from models.da3.config import Da3Config
from models.da3.network import VIEWS_AT_ONCE
from models.dinov2.backbone import PATCH

_FLOAT = 4
_OF_BODY = 20
"""Numbers a channel of every token: the four layers handed on, twice as wide as others, what blocks make of a token
while they work on it, and as much again that the allocator holds. Eight to 48 frames at 504x378 took 12 (SMALL) and 15
(BASE) megabytes a frame."""


def window_bytes(config: Da3Config, picture: tuple[int, int], frames: int) -> int:
    """Return about how many bytes a forward without rays takes, rather too many; picture: (height, width) of inputs.

    Attention is counted as of fused kernels, which keep no matrix of all pairs of tokens.
    """
    height, width = picture
    tokens = (height // PATCH) * (width // PATCH) + 1
    body = frames * tokens * config.width * _OF_BODY
    # the finest maps of the head, before and after waves are added and behind the last 3 x 3 convolution and its ReLU
    head = min(frames, VIEWS_AT_ONCE) * height * width * (2 * (config.features // 2) + 64)
    return _FLOAT * (body + head)


def fitting_frames(config: Da3Config, picture: tuple[int, int], free: float) -> int:
    """Return how many frames take ``free`` bytes at most, 0 where not even one does."""
    low, high = 0, 1
    while window_bytes(config, picture, high) <= free:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if window_bytes(config, picture, middle) <= free else (low, middle)
    return low
