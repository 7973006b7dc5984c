"""What the catalog notes about a video after its host was asked, by class of error."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.contract.errors import (
    BrokenVideo,
    DiskFull,
    DownloadError,
    DownloadGone,
    DownloadRefused,
    DuplicateVideo,
    ExtractorTrouble,
    ForbiddenAddress,
    HostResting,
    NotYet,
    PipelineError,
    UnwantedVideo,
    VideoError,
)
from pipeline.contract.records import Source
from pipeline.sources.catalog.rows import BUILDABLE, CatalogRow, VideoState
from pipeline.sources.web.settings import WebSettings

FINAL: tuple[tuple[type[PipelineError], VideoState], ...] = (
    (DownloadGone, VideoState.GONE),
    (ForbiddenAddress, VideoState.REJECTED),
    (UnwantedVideo, VideoState.UNWANTED),
    (BrokenVideo, VideoState.REJECTED),
    (DuplicateVideo, VideoState.DUPLICATE),
)
"""Errors that nothing changes, first match first."""

ERRORS: dict[VideoState, type[VideoError]] = {
    VideoState.GONE: DownloadGone,
    VideoState.REJECTED: BrokenVideo,
    VideoState.UNWANTED: UnwantedVideo,
    VideoState.GIVEN_UP: DownloadError,
    VideoState.DUPLICATE: DuplicateVideo,
}


def refuse_final(row: CatalogRow) -> None:
    """Raise what is known about a video that is not to be asked for, so that it is not.

    Raises:
        VideoError: its state is final, or its time has not come (``HostResting``).
    """
    if row.state not in BUILDABLE:
        message = f"{row.video_id} is {row.state} since {row.when:%Y-%m-%d} ({row.last_error}) and is not asked for"
        raise ERRORS[row.state](message)
    if row.next_try and row.next_try > datetime.now(UTC):
        message = f"{row.video_id} is not due before {row.next_try:%Y-%m-%d %H:%M:%S} UTC"
        raise HostResting(f"{message} ({row.state}: {row.last_error})", row.next_try.timestamp())


def after_arrival(row: CatalogRow, source: Source) -> CatalogRow:
    """Return the row of a video that arrived."""
    return replace(
        row,
        state=VideoState.FETCHED,
        last_error="",
        next_try=None,
        sha256=source.sha256,
        duration_s=source.duration_s,
        title=row.title or source.title,
        uploader=row.uploader or source.uploader,
        licence=row.licence or source.licence,
    )


def after_error(row: CatalogRow, error: PipelineError, is_local: bool, settings: WebSettings) -> CatalogRow:
    """Return the row of a video that did not arrive.

    is_local: of this machine, so that asking again costs nobody anything: never final but for duplicates.
    """
    if isinstance(error, HostResting | NotYet | DiskFull):
        return _untried(row, error)
    tried = replace(row, tries=row.tries + 1, last_error=error.code)
    state = next((state for kind, state in FINAL if isinstance(error, kind)), None)
    if is_local and state is not VideoState.DUPLICATE:
        return tried
    if state is not None:
        return replace(tried, state=state, next_try=None)
    if tried.tries >= settings.tries_max and not isinstance(error, ExtractorTrouble):
        return replace(tried, state=VideoState.GIVEN_UP, next_try=None)
    return replace(tried, state=VideoState.RETRY, next_try=_next_try(tried, error, settings))


def _untried(row: CatalogRow, error: HostResting | NotYet | DiskFull) -> CatalogRow:
    """Return the row of a video whose try does not count: nobody was asked, or it is not the video's fault."""
    if isinstance(error, DiskFull):
        return replace(row, last_error=error.code)
    due = datetime.fromtimestamp(error.until, UTC)
    if isinstance(error, NotYet):
        return replace(row, state=VideoState.NOT_YET, last_error=error.code, next_try=due)
    return replace(row, next_try=due)


def _next_try(row: CatalogRow, error: PipelineError, settings: WebSettings) -> datetime | None:
    """Return when a video is due again; one that was refused as soon as its host has rested.

    An extractor's trouble may be with a single page, which then does not keep its host from the others.
    """
    if isinstance(error, DownloadRefused) and not isinstance(error, ExtractorTrouble):
        return None
    pause = settings.retry_s * 2.0 ** min(row.tries - 1, 30) * (1 + settings.jitter * random.random())
    return datetime.now(UTC) + timedelta(seconds=min(pause, settings.pause_max_s))
