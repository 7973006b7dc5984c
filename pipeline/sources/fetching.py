"""Fetches videos of the catalog: one for its stage, or all that are due, host by host.

The catalog is told the outcome of every try, so that no other process asks in vain for what one has found gone.
"""

import functools
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract.errors import DiskFull, DownloadRefused, DuplicateVideo, HostResting, VideoError
from pipeline.contract.records import Source
from pipeline.sources.catalog.catalog import Catalog, source_of_row
from pipeline.sources.catalog.rows import ASKABLE, BUILDABLE, CatalogRow, VideoState
from pipeline.sources.discover import paces
from pipeline.sources.duplicates.fingerprints import DuplicateSettings, Fingerprints, video_hashes
from pipeline.sources.outcomes import after_arrival, after_error, refuse_final
from pipeline.sources.rules import SourceRules
from pipeline.sources.web.guard import site
from pipeline.sources.web.settings import WebSettings
from pipeline.stages.video.arrival import Progress
from pipeline.stages.video.fetch import METADATA, VIDEO, fetch
from pipeline.stages.video.settings import DownloadSettings
from pipeline.store.files import Store, VideoStore

LOCAL = "local"
_DUE_COLUMNS = ("video_id", "origin", "state", "next_try", "built")
AGE_COLUMNS = ("tries", "published", "number")
Order = Literal["oldest", "newest"]


def fetch_listed(
    store: Store, video_id: str, folder: Path, settings: DownloadSettings, progress: Progress = lambda *_: None
) -> Source:
    """Fetch a video of the catalog into ``folder`` and note what went wrong; its host's pace and places are kept.

    ``mark_fetched`` follows once the file lies in its place.

    Raises:
        VideoError: as ``fetch``, or because the catalog knows that asking is of no use.
        DuplicateVideo: the file is one that another video of the catalog brought already.
        StageMissing: the catalog does not know the video.
    """
    catalog = Catalog(store)
    row = catalog.row(video_id)
    refuse_final(row)
    source, hosts = source_of_row(row), paces(store, settings.web)
    rules = SourceRules.model_validate_json(row.rules) if row.rules else SourceRules()
    try:
        if source.kind == "url":
            with hosts.slot(site(source.origin)):
                arrived = fetch(source, folder, settings, progress, rules, hosts)
            hosts.answered(site(source.origin))
        else:
            arrived = fetch(source, folder, settings, progress, rules)
        _claim(catalog, video_id, arrived.sha256)
        if source.kind != "tour" and settings.duplicates.enabled:
            _refuse_alike(store, video_id, folder / VIDEO, settings.duplicates)
    except VideoError as error:
        if isinstance(error, DownloadRefused) and source.kind == "url":
            hosts.refused(site(source.origin), error.retry_after_s)
        is_local = source.kind != "url"
        outcome = functools.partial(after_error, error=error, is_local=is_local, settings=settings.web)
        catalog.update([video_id], outcome)
        raise
    return arrived


def mark_fetched(video: VideoStore) -> None:
    """Note that a video lies in the store; does nothing where that is known."""
    catalog = Catalog(video.store)
    if catalog.row(video.video_id).state in ASKABLE:
        content = video.read_json(METADATA)
        arrived = Source(**{field.name: content[field.name] for field in fields(Source)})
        catalog.update([video.video_id], lambda row: after_arrival(row, arrived))


def due(store: Store, settings: WebSettings, order: Order) -> Iterator[CatalogRow]:
    """Yield the videos that may be worked on now: not final, due, and fetched or on a host that does not rest."""
    catalog, hosts, present = Catalog(store), paces(store, settings), datetime.now(UTC)
    table = by_age(catalog.table([*dict.fromkeys((*_DUE_COLUMNS, *AGE_COLUMNS))], BUILDABLE), order)
    resting = {state.site for state in hosts.states() if state.resting_until > present.timestamp()}
    for row in table.select(list(_DUE_COLUMNS)).to_pylist():
        is_here = row["state"] == VideoState.FETCHED
        is_due = row["next_try"] is None or row["next_try"] <= present
        if is_here or (is_due and site_of(row["origin"]) not in resting):
            yield CatalogRow(row["video_id"], row["origin"], state=VideoState(row["state"]), built=row["built"])


class Fetcher:
    """Fetches everything that is due, a few hosts at a time; a host that refuses is left, the others go on.

    A full disk stops it (``DiskFull``).

    Args:
        store: with the catalog.
        settings: of the stage ``video``.
        fetch_one: brings one video into the store and marks it, raising ``VideoError``; runs in several threads.
    """

    def __init__(self, store: Store, settings: DownloadSettings, fetch_one: Callable[[str], None]) -> None:
        self._catalog = Catalog(store)
        self._hosts = paces(store, settings.web)
        self._settings = settings
        self._fetch_one = fetch_one
        self._stopped = threading.Event()
        self._tried_here: set[str] = set()

    def fetch_due(self, order: Order = "oldest") -> int:
        """Fetch what is due now; return how many videos were tried."""
        queues = self._queues(order)
        workers = [site_ for _ in range(self._settings.web.per_host) for site_ in queues]
        with ThreadPoolExecutor(self._settings.web.parallel) as threads:
            try:
                return sum(threads.map(lambda site_: self._work_off(queues[site_]), workers))
            except BaseException:
                self._stopped.set()
                raise

    def next_due(self) -> datetime | None:
        """Return when something is due again, or None where nothing is left to be asked for."""
        moments = [
            max(due or datetime.fromtimestamp(0, UTC), self._rested(site_)) for site_, _, due in self._askable("oldest")
        ]
        return min(moments, default=None)

    def _work_off(self, queue: deque[str]) -> int:
        tried = 0
        while not self._stopped.is_set():
            try:
                video_id = queue.popleft()
            except IndexError:
                break
            tried += 1
            self._tried_here.add(video_id)
            try:
                self._fetch_one(video_id)
            except DiskFull:
                self._stopped.set()
                raise
            except (DownloadRefused, HostResting):
                queue.clear()
            except VideoError:
                continue
        return tried

    def _queues(self, order: Order) -> dict[str, deque[str]]:
        queues: dict[str, deque[str]] = defaultdict(deque)
        present = datetime.now(UTC)
        for site_, video_id, due in self._askable(order):
            if (due is None or due <= present) and self._rested(site_) <= present:
                queues[site_].append(video_id)
        return dict(queues)

    def _rested(self, site_: str) -> datetime:
        return datetime.fromtimestamp(self._hosts.state(site_).resting_until, UTC)

    def _askable(self, order: Order) -> Iterable[tuple[str, str, datetime | None]]:
        """Yield site, id and due time of what may be asked for: first what was tried least, then by age."""
        table = self._catalog.table(["video_id", "origin", "next_try", *AGE_COLUMNS], ASKABLE)
        for row in by_age(table, order).select(["origin", "video_id", "next_try"]).to_pylist():
            where = site_of(row["origin"])
            # A file of this machine that is broken stays broken until somebody mends it.
            if where != LOCAL or row["video_id"] not in self._tried_here:
                yield where, row["video_id"], row["next_try"]


def by_age(table: pa.Table, order: Order) -> pa.Table:
    """Sort rows by tries and then by time of publication, or of registration where that is not known."""
    direction: Literal["ascending", "descending"] = "ascending" if order == "oldest" else "descending"
    keys = [("tries", "ascending"), ("published", direction), ("number", direction)]
    return table.take(pc.sort_indices(table, sort_keys=keys))


def site_of(origin: str) -> str:
    """Return the site of an origin; everything of this machine is one."""
    return site(origin) if origin.startswith(("http://", "https://")) else LOCAL


def _claim(catalog: Catalog, video_id: str, sha256: str) -> None:
    """Note which file a video is, so that of two videos with the same file only the first goes on."""
    with catalog.locked():
        twin = _twin(catalog, video_id, sha256)
        catalog.update([video_id], lambda row: replace(row, sha256=sha256, duplicate_of=twin or ""))
    if twin:
        raise DuplicateVideo(f"{video_id} is the same file as {twin}")


def _refuse_alike(store: Store, video_id: str, path: Path, settings: DuplicateSettings) -> None:
    """Keep the hashes of a video, unless it shows what another one of the catalog shows."""
    catalog, fingerprints, hashes = Catalog(store), Fingerprints(store), video_hashes(path)
    with catalog.locked():
        alike = fingerprints.alike(hashes, settings)
        rows = catalog.rows([match.video_id for match in alike])
        buildable = {row.video_id for row in rows.values() if row.state in BUILDABLE} - {video_id}
        match = next((match for match in alike if match.video_id in buildable), None)
        if match is None:
            fingerprints.add(video_id, hashes)
            return
        catalog.update([video_id], lambda row: replace(row, duplicate_of=match.video_id))
    raise DuplicateVideo(f"{video_id} shows {match.share:.0%} of the pictures of {match.video_id}")


def _twin(catalog: Catalog, video_id: str, sha256: str) -> str | None:
    """Return the video that brought the same file before, or None."""
    held = catalog.table(["video_id", "sha256"], BUILDABLE)
    same = held.filter(pc.field("sha256") == sha256)["video_id"].to_pylist()
    return next((other for other in same if other != video_id), None)
