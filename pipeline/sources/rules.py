"""Which videos of a source are wanted."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pipeline.contract.records import Segment

CREATIVE_COMMONS = re.compile(r"(?i)creative\s*commons|\bcc[- ]by\b|\bcc0\b")


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        message = f"{pattern!r} is no regular expression: {error}"
        raise ValueError(message) from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


@dataclass(frozen=True, slots=True)
class FoundVideo:
    """A video as its source lists it; what the source does not say is empty or None.

    origin: what to fetch. segments: the stretches wanted, empty for the whole video.
    """

    origin: str
    title: str = ""
    uploader: str = ""
    published: datetime | None = None
    duration_s: float | None = None
    licence: str = ""
    segments: tuple[Segment, ...] = ()


class SourceRules(BaseModel):
    """What is taken from a source. What a listing does not say is decided once the video's own page is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int | None = Field(None, ge=1, description="most videos, counted in the order of the listing")
    since: date | None = Field(None, description="published on this day or later")
    until: date | None = Field(None, description="published on this day or before")
    duration_min_s: float = Field(0, ge=0, description="shortest video, seconds")
    duration_max_s: float | None = Field(None, gt=0, description="longest video, seconds")
    title_include: tuple[Pattern, ...] = Field((), description="regular expressions, one of which the title matches")
    title_exclude: tuple[Pattern, ...] = Field((), description="regular expressions, none of which the title matches")
    height_max: int | None = Field(None, ge=144, le=4320, description="rows; else video.height_max")
    creative_commons: bool = Field(False, description="only videos that say they are under a Creative Commons licence")

    @model_validator(mode="after")
    def _in_order(self) -> "SourceRules":
        if self.since and self.until and self.since > self.until:
            raise ValueError("since lies after until")
        return self

    def objection(self, video: FoundVideo, final: bool = False) -> str | None:
        """Return why a video is not wanted, or None.

        final: all is known that ever will be, so that a licence that is not named is none.
        """
        checks = (self._about_time(video), self._about_title(video), self._about_licence(video, final))
        return next((reason for reason in checks if reason), None)

    def _about_time(self, video: FoundVideo) -> str | None:
        if video.published is not None:
            if self.since and video.published < _midnight(self.since):
                return f"published before {self.since}"
            if self.until and video.published.date() > self.until:
                return f"published after {self.until}"
        if video.duration_s is not None:
            if video.duration_s < self.duration_min_s:
                return f"{video.duration_s:.0f} s is shorter than {self.duration_min_s:g} s"
            if self.duration_max_s is not None and video.duration_s > self.duration_max_s:
                return f"{video.duration_s:.0f} s is longer than {self.duration_max_s:g} s"
        return None

    def _about_title(self, video: FoundVideo) -> str | None:
        if not video.title:
            return None
        if self.title_include and not any(re.search(p, video.title, re.IGNORECASE) for p in self.title_include):
            return "its title matches none of title_include"
        excluded = next((p for p in self.title_exclude if re.search(p, video.title, re.IGNORECASE)), None)
        return f"its title matches {excluded!r}" if excluded else None

    def _about_licence(self, video: FoundVideo, final: bool) -> str | None:
        unknown = not video.licence and not final
        if not self.creative_commons or unknown or CREATIVE_COMMONS.search(video.licence):
            return None
        return f"its licence is {video.licence or 'not named'!r}, not a Creative Commons one"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
