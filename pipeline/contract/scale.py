"""What the metric scale of a clip rests on."""

from enum import IntEnum, IntFlag


class ScaleSource(IntEnum):
    """What the metric scale of a clip rests on, best first; stored as ``scene/scale_source``."""

    NONE = 0
    FLOOR_TO_CEILING = 1
    FLOOR_AND_TOP = 2
    CEILING_AND_BOTTOM = 3
    CAMERA_HEIGHT = 4
    EVIDENCE = 5


class ScaleCue(IntFlag):
    """What the metric scale of a clip was read from; stored as their sum in ``scene/scale_cues``, 0 = not known.

    FLOOR, CEILING: a level taken for it. CAMERA_HEIGHT: that the camera is held as people hold cameras. LOWEST,
    HIGHEST: how far down or up surfaces reach, where no floor or ceiling is seen. OTHER_CLIPS: what the rest of the
    video shows. METRIC_DEPTH: metric depth of its pictures, where the reconstruction has it. DISAGREEING: no cue, but
    that two of them are more than three deviations apart, or that the floor may be none. DOORWAY, WINDOW, STAIRS: how
    high doorways and windows end, and the steps of stairs are.
    """

    NONE = 0
    FLOOR = 1
    CEILING = 2
    CAMERA_HEIGHT = 4
    LOWEST = 8
    HIGHEST = 16
    OTHER_CLIPS = 32
    METRIC_DEPTH = 64
    DISAGREEING = 128
    DOORWAY = 256
    WINDOW = 512
    STAIRS = 1024

    def names(self) -> str:
        """Return the cues by name, joined by ``+``: what the index holds."""
        return "+".join(cue.name.lower() for cue in ScaleCue if cue and cue in self and cue.name)
