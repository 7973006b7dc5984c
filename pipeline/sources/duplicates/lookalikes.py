"""Finds the videos that may show the same as a new one without looking at all of them; called by ``fingerprints``.

Every hash is cut into four bands of 16 bits. Pictures alike mostly share a band untouched, pictures of other videos
seldom do (locality-sensitive hashing by bands: Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, section 3.4).
The index is a SQLite file in scratch that can be made again from the fingerprints at any time.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.errors import NotReadableNow
from pipeline.sources.duplicates.perceptual import Hashes, hashes_of

BANDS = 4
BAND_BITS = 16
_TABLES = """
    CREATE TABLE IF NOT EXISTS videos (number INTEGER PRIMARY KEY, video_id TEXT UNIQUE NOT NULL, hashes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS bands (key INTEGER, number INTEGER, PRIMARY KEY (key, number)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS follows (version TEXT NOT NULL);
"""
_MOST_SHARED = """
    SELECT video_id, hashes FROM
    (SELECT number, COUNT(*) AS shared FROM wanted CROSS JOIN bands USING (key)
     GROUP BY number ORDER BY shared DESC, number LIMIT ?)
    JOIN videos USING (number) ORDER BY shared DESC, number
"""
"""SQLite keeps the order of a cross join: the wanted bands are looked up, not all bands gone through."""


class Lookalikes:
    """The bands of the hashes of many videos."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        try:
            self._make_tables()
        except NotReadableNow:
            if path.exists():
                raise
            self._make_tables()

    def follows(self) -> str:
        """Return the version of the fingerprints up to which all videos are entered."""
        with self._open() as database:
            found = database.execute("SELECT version FROM follows").fetchone()
        return str(found[0]) if found else ""

    def add(self, videos: Iterable[tuple[str, Hashes]], version: str) -> None:
        """Enter videos, all or none, after which the index follows ``version``; of one video the latest hashes hold."""
        with self._open() as database, database:
            for video_id, hashes in videos:
                _enter(database, video_id, hashes)
            database.execute("DELETE FROM follows")
            database.execute("INSERT INTO follows VALUES (?)", (version,))

    def candidates(self, hashes: Hashes, most: int) -> list[tuple[str, Hashes]]:
        """Return id and hashes of the videos that share most bands with ``hashes``, ``most`` of them at most."""
        with self._open() as database:
            database.execute("CREATE TEMP TABLE wanted (key INTEGER PRIMARY KEY)")
            database.executemany("INSERT INTO wanted VALUES (?)", ((int(key),) for key in band_keys(hashes)))
            found = database.execute(_MOST_SHARED, (most,)).fetchall()
            return [(str(name), hashes_of(content)) for name, content in found]

    def _make_tables(self) -> None:
        with self._open() as database:
            database.executescript(_TABLES)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Give a connection; raises ``NotReadableNow`` where the file cannot be had, or was damaged and is gone now."""
        try:
            with closing(sqlite3.connect(self._path, timeout=60)) as database:
                yield database
        except sqlite3.OperationalError as error:
            raise NotReadableNow(f"{self._path} cannot be used at the moment ({error}): nothing was changed") from error
        except (
            sqlite3.DatabaseError,
            ValueError,
            TypeError,
        ) as error:  # what a crash of the machine left is no database: it is made again
            self._path.unlink(missing_ok=True)
            raise NotReadableNow(f"{self._path} was damaged ({error}) and is made anew the next time") from error


def _enter(database: sqlite3.Connection, video_id: str, hashes: Hashes) -> None:
    """Enter one video, in place of what was entered of it."""
    known = database.execute("SELECT number, hashes FROM videos WHERE video_id = ?", (video_id,)).fetchone()
    if known is not None and known[1] == hashes.tobytes():
        return
    if known is not None:
        keys = ((int(key), known[0]) for key in band_keys(hashes_of(known[1])))
        database.executemany("DELETE FROM bands WHERE key = ? AND number = ?", keys)
        database.execute("DELETE FROM videos WHERE number = ?", (known[0],))
    row = (video_id, hashes.tobytes())
    number = database.execute("INSERT INTO videos (video_id, hashes) VALUES (?, ?)", row).lastrowid
    database.executemany("INSERT INTO bands VALUES (?, ?)", ((int(key), number) for key in band_keys(hashes)))


def band_keys(hashes: Hashes) -> NDArray[np.int64]:
    """Return the bands of hashes (frames, crops), each with its place in the upper bits: (k,), sorted, each once."""
    shifts = np.arange(BANDS, dtype=np.uint64) * np.uint64(BAND_BITS)
    values = (hashes.reshape(-1, 1) >> shifts) & np.uint64(2**BAND_BITS - 1)
    return np.unique(values.astype(np.int64) + (np.arange(BANDS) << BAND_BITS))
