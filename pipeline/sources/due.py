"""Which videos of the catalog may be worked on now, and in which order."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import BUILDABLE, VideoState
from pipeline.sources.web.guard import site
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings

LOCAL = "local"
AGE_COLUMNS = ("tries", "published", "number")
CLOCK_SLACK = timedelta(hours=1)
"""What was written further ahead was written by a wrong clock, whose times say nothing."""

LONG_SINCE = datetime.fromtimestamp(0, UTC)

_DUE_COLUMNS = ("video_id", "origin", "state", "next_try", "when", "built")
AgeOrder = Literal["oldest", "newest"]


class DueVideo(NamedTuple):
    """A video that may be worked on, and the fingerprint that the catalog notes of its results, empty for none."""

    video_id: str
    built: str


def due(catalog: Catalog, settings: WebSettings, order: AgeOrder) -> Iterator[DueVideo]:
    """Yield the videos that may be worked on now: not final, due, and fetched or on a host that does not rest."""
    present = datetime.now(UTC)
    table = by_age(catalog.table([*dict.fromkeys((*_DUE_COLUMNS, *AGE_COLUMNS))], BUILDABLE), order)
    is_here = pc.equal(table["state"], VideoState.FETCHED)
    table = table.filter(pc.or_(is_here, _is_due(table, present)))
    resting = _resting(catalog, table, settings, present)
    columns = (table[name].to_pylist() for name in ("video_id", "built", "state", "origin"))
    for video_id, built, state, origin in zip(*columns, strict=True):
        if not resting or state == VideoState.FETCHED or site_of(origin) not in resting:
            yield DueVideo(video_id, built)


def _is_due(table: pa.Table, present: datetime) -> pa.ChunkedArray:
    """Tell as ``due_at`` which rows may be asked for now."""
    wrong = pc.fill_null(pc.greater(table["when"], present + CLOCK_SLACK), fill_value=False)
    return pc.or_(wrong, pc.fill_null(pc.less_equal(table["next_try"], present), fill_value=True))


def _resting(catalog: Catalog, table: pa.Table, settings: WebSettings, present: datetime) -> set[str]:
    """Return the sites that rest; none is looked for where no host would be asked for anything."""
    asked = table["origin"].filter(pc.not_equal(table["state"], VideoState.FETCHED))
    if not pc.any(pc.match_substring_regex(asked, "^https?://")).as_py():
        return set()
    states = Hosts.of(catalog.files, settings).states()
    return {state.site for state in states if state.resting_until > present.timestamp()}


def due_at(next_try: datetime | None, when: datetime | None, present: datetime) -> datetime:
    """Return when a video may be asked for: at ``next_try``, or long since where the row was written in the future."""
    is_from_a_wrong_clock = when is not None and when > present + CLOCK_SLACK
    return LONG_SINCE if next_try is None or is_from_a_wrong_clock else next_try


def by_age(table: pa.Table, order: AgeOrder) -> pa.Table:
    """Sort rows by tries and then by time of publication, or of registration where that is not known."""
    direction: Literal["ascending", "descending"] = "ascending" if order == "oldest" else "descending"
    keys = [("tries", "ascending"), ("published", direction), ("number", direction)]
    return table.take(pc.sort_indices(table, sort_keys=keys))


def site_of(origin: str) -> str:
    """Return the site of an origin; everything of this machine is one."""
    return site(origin) if origin.startswith(("http://", "https://")) else LOCAL
