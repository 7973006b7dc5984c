"""Fetches all videos of the catalog that are due, host by host, without building anything of them."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from pipeline.contract.errors import DiskFull, DownloadRefused, HostResting, VideoError
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import ASKABLE
from pipeline.sources.due import AGE_COLUMNS, LOCAL, AgeOrder, by_age, due_at, site_of
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings


class Fetcher:
    """Fetches everything that is due, a few hosts at a time; a host that refuses is left, the others go on.

    A full disk stops it (``DiskFull``).

    Args:
        catalog: of the store that videos go to.
        settings: how hosts are asked.
        fetch_one: brings one video into the store and marks it, raising ``VideoError``; runs in several threads.
    """

    def __init__(self, catalog: Catalog, settings: WebSettings, fetch_one: Callable[[str], None]) -> None:
        self._catalog = catalog
        self._hosts = Hosts.of(catalog.files, settings)
        self._settings = settings
        self._fetch_one = fetch_one
        self._stopped = threading.Event()
        self._tried_here: set[str] = set()

    def fetch_due(self, order: AgeOrder = "oldest") -> int:
        """Fetch what is due now; return how many videos were tried."""
        queues = self._queues(order)
        workers = [site_ for _ in range(self._settings.per_host) for site_ in queues]
        with ThreadPoolExecutor(self._settings.parallel) as threads:
            try:
                return sum(threads.map(lambda site_: self._work_off(queues[site_]), workers))
            except BaseException:
                self._stopped.set()
                raise

    def next_due(self) -> datetime | None:
        """Return when something is due again, or None where nothing is left that is worth waiting for.

        What an extractor could not read as often as any video is tried keeps its turn; waiting for it mends nothing.
        """
        moments = [
            max(moment, self._rested(site_))
            for site_, _, moment, tries in self._askable("oldest")
            if tries < self._settings.tries_max
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

    def _queues(self, order: AgeOrder) -> dict[str, deque[str]]:
        queues: dict[str, deque[str]] = defaultdict(deque)
        present = datetime.now(UTC)
        for site_, video_id, moment, _ in self._askable(order):
            if moment <= present and self._rested(site_) <= present:
                queues[site_].append(video_id)
        return dict(queues)

    def _rested(self, site_: str) -> datetime:
        return datetime.fromtimestamp(self._hosts.state(site_).resting_until, UTC)

    def _askable(self, order: AgeOrder) -> Iterable[tuple[str, str, datetime, int]]:
        """Yield site, id, due time and tries of what may be asked for: first what was tried least, then by age."""
        columns, present = ["origin", "video_id", "next_try", "when", "tries"], datetime.now(UTC)
        table = self._catalog.table([*dict.fromkeys((*columns, *AGE_COLUMNS))], ASKABLE)
        for row in by_age(table, order).select(columns).to_pylist():
            where = site_of(row["origin"])
            # A file of this machine that is broken stays broken until somebody mends it.
            if where != LOCAL or row["video_id"] not in self._tried_here:
                yield where, row["video_id"], due_at(row["next_try"], row["when"], present), row["tries"]
