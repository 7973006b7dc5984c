"""Settings of the stage ``clips``."""

from typing import Any, Literal

from pydantic import Field

from pipeline.stages.base import StageSettings

Unwanted = Literal["SlideShow", "TextOverlay", "SplitScreen", "Static"]
"""Why nobody wants a clip, whatever house it shows."""

WITH_OTHER_CLIPS = ("6", "5", "4", "3", "2", "1")
"""Code versions of clips that stand: in 6 slow slide shows and photographs beside a film came through, in 5 frames are
spaced by number also where their rate varies, in 4 a camera that adapts to the light may have been cut as by a
dissolve, in 3 a caption could hide one, before it no clips had a frame in common."""

LATER = ("dissolve_motion_max", "dissolve_left_max", "leave_out", "upright", "shared_frames")
"""Settings that came with code version 2 of the stage, or after it."""


class ClipsSettings(StageSettings):
    """How a video is cut into shots and which frames of a shot make a clip."""

    cut_ratio: float = Field(
        2.0,
        ge=1,
        le=10,
        description="a frame is a candidate for a hard cut where its content changes this many times as much as around "
        "it; PySceneDetect's default of 3 misses 2 of 4 cuts between real handheld clips at 8 fps",
    )
    cut_content_min: float = Field(
        8.0,
        ge=0,
        le=255,
        description="least change of content of a candidate, 8-bit levels; half of PySceneDetect's 15, since "
        "correspondence has the last word",
    )
    correspondence_min: float = Field(
        0.32,
        ge=0,
        le=1,
        description="median local correlation after optical flow below which two pictures show different scenes; "
        "measured: at most 0.18 across cuts between furnished rooms, 0.27 between bare ones, at least 0.39 between "
        "neighbours in the fastest real pan at 8 fps",
    )
    black_level: int = Field(
        20,
        ge=1,
        le=64,
        description="mean 8-bit level under which a frame is black; of a fade that takes half a second each way the "
        "darkest frame at 12 fps is up to a thirteenth of white, more than PySceneDetect's default of 12",
    )
    dissolve_dip: float = Field(
        0.65,
        gt=0,
        lt=1,
        description="inside a dissolve the Laplacian's power falls to this share of what its ends let expect, in half "
        "of the picture; blending two unrelated pictures gives 0.5, a still shot 1",
    )
    dissolve_left_max: float = Field(
        0.1,
        gt=0,
        le=1,
        description="share of the change from end to end, squared, that mixtures of the ends leave unexplained in a "
        "dissolve; measured: 0.001 to 0.1 in dissolves between moving shots, mostly 0.2 to 0.9 where a camera turns",
    )
    dissolve_likeness_min: float = Field(
        0.5,
        ge=0,
        le=1,
        description="correspondence of pictures a tenth of a second apart inside a dissolve; blending over 0.3 s gives "
        "0.8, and what falls below is a cut or a blurred pan",
    )
    dissolve_motion_max: float = Field(
        0.05,
        gt=0,
        le=1,
        description="picture widths by which the median pixel moves in a tenth of a second, beyond which a dip of "
        "sharpness is the blur of a turn and no dissolve; measured: 0.01 to 0.034 in dissolves between moving shots, "
        "0.07 to 0.15 in turns taken for one",
    )
    dissolve_max_s: float = Field(2.0, ge=0.4, le=4, description="longest dissolve looked for, seconds")
    trim_s: float = Field(
        0.1, ge=0, le=1, description="seconds left out on both sides of every shot change: compression smears there"
    )
    clip_min_s: float = Field(1.5, gt=0, le=30, description="shortest clip, seconds")
    frames_per_second: float = Field(
        3.0, gt=0, le=30, description="frames a second of a clip; 4 to 6 s, a usual shot, give 12 to 18"
    )
    frames_min: int = Field(8, ge=3, le=64, description="fewest frames of a clip")
    frames_max: int = Field(
        24, ge=3, le=64, description="most frames of a clip, longer shots become several clips; the paper has 22"
    )
    shared_frames: int = Field(
        2,
        ge=0,
        le=4,
        description="last frames of a piece of a long shot that the next piece begins with, so that the two can be "
        "joined in one world; they count among ``frames_max``. Two tell where the camera and the depth of one of them "
        "went astray together; with none, every piece is a world of its own",
    )
    keep_all_up_to: int = Field(
        16,
        ge=0,
        le=64,
        description="a shot of at most this many frames keeps all: what was thinned before is not thinned again",
    )
    blur_ratio: float = Field(
        0.7,
        ge=0,
        le=1,
        description="a frame with less than this share of the sharpness of its sharpest neighbour gives way to it",
    )
    leave_out: tuple[Unwanted, ...] = Field(
        ("SlideShow", "TextOverlay", "SplitScreen", "Static"),
        description="reasons for which clips are left out when they are cut: still pictures that are panned over, "
        "letters over more than a third of the picture, parts that move apart or stay, a camera that stands",
    )

    upright: Literal["whole", "middle"] = Field(
        "whole",
        description="what is kept of a picture that is higher than wide: all of it between black columns, in which "
        "nothing is known, or its middle 4:3 part, which is 42 % of a phone's picture",
    )

    def decisive(self) -> dict[str, Any]:
        """Return what decides the clips; what came with code version 2 or later only where it is no default."""
        return self.model_dump(mode="json", exclude=set(LATER) - self._changed())

    def earlier(self) -> tuple[str, ...]:
        """Return code versions whose clips stand, unless somebody asks for what they did not know."""
        return () if self._changed() else WITH_OTHER_CLIPS

    def _changed(self) -> set[str]:
        return {name for name in LATER if getattr(self, name) != type(self).model_fields[name].default}
