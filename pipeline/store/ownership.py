"""Whose a data folder is, asked before anything in it is replaced or deleted for the first time.

``youtube-occ.json`` marks a folder in which this program keeps a dataset, and names the subfolder for work in progress.
A folder without it may be anybody's: what bears a name that we would write is left alone unless something proves that a
dataset of ours, made by an earlier release, is there.
"""

import itertools
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from models.json_text import parsed_json
from pipeline.contract.errors import SettingsError
from pipeline.store.groups import CLIPS, FAILURE, QUALITY, SCENE_ZARR, SOURCE_NOTES, SOURCE_VIDEO
from pipeline.store.trees import Tree

MARK = "youtube-occ.json"
SCRATCH = "scratch"
KEPT = ("videos", "catalog", "dataset", "fingerprints")
"""Folders of a dataset, beside that for work in progress."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
_TABLES = ("catalog/parts.json", "fingerprints/parts.json", "dataset/index.parquet", "dataset/summary.json")
_OF_A_VIDEO = (SOURCE_NOTES, SOURCE_VIDEO, CLIPS, SCENE_ZARR, FAILURE, QUALITY)
_PROOFS = (
    ("catalog/parts.json", {"parts", "next_number"}),
    ("dataset/summary.json", {"version", "frames_by_split", "left_out"}),
)


class Ownership:
    """Of the files ``tree``; root: where they lie, in words."""

    def __init__(self, tree: Tree, root: str) -> None:
        self._tree = tree
        self._root = str(root).rstrip("/")
        self.is_claimed = False
        self._mark: dict[str, Any] = {}

    def scratch(self) -> str:
        """Return the name of the folder for work in progress; writes nothing.

        It is ``scratch``, or ``scratch-2`` and so on where somebody else's folder has that name.
        """
        # the mark is asked again: another may have begun just now, and writes it before it makes scratch
        if self._marked() or not self._exists(SCRATCH) or self._is_proven() or self._marked():
            name = PurePosixPath(str(self._mark.get("scratch", SCRATCH))).name
            return name if _NAME.fullmatch(name) else SCRATCH
        return next(name for number in itertools.count(2) if not self._exists(name := f"{SCRATCH}-{number}"))

    def claim(self, scratch: str) -> None:
        """Mark the folder as one of ours; does nothing where it is.

        Raises:
            SettingsError: it holds what we would replace and have not made; the message names it.
        """
        if self.is_claimed or self._marked():
            self.is_claimed = True
            return
        strange = next(self._in_the_way(), None)
        if strange and not self._is_proven() and not self._marked():  # as another may have begun it just now
            raise SettingsError(
                f"{self._root} holds {strange}, which no dataset of this program wrote: name another folder "
                "(--data, YOUTUBE_OCC_DATA), so that it stays as it is"
            )
        self._write_mark(json.dumps({"made_by": "youtube-occ", "scratch": scratch}, indent=1).encode())
        self.is_claimed = True

    def _marked(self) -> dict[str, Any]:
        """Return what the mark says, which stays as it is once it is there; empty where there is none."""
        self._mark = self._mark or self._read(MARK)
        return self._mark

    def _write_mark(self, content: bytes) -> None:
        if self._exists(MARK):  # somebody else's file, or a damaged one: it says nothing, and stays
            return
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder, MARK)
            written.write_bytes(content)
            self._tree.put(written, MARK)

    def _in_the_way(self) -> Iterator[str]:
        """Yield what has a name that we would write."""
        yield from (name for name in _TABLES if self._exists(name))
        for video in self._videos():
            yield from (f"{video}/{name}" for name in _OF_A_VIDEO if self._exists(f"{video}/{name}"))

    def _is_proven(self) -> bool:
        """Tell whether something shows that an earlier release keeps a dataset here."""
        if any(keys <= self._read(name).keys() for name, keys in _PROOFS):
            return True
        return any(
            {"sha256", "provenance"} <= self._read(f"{video}/{SOURCE_NOTES}").keys()
            or self._read(f"{video}/{SCENE_ZARR}/zarr.json").get("node_type") == "group"
            or {"code", "wanted", "tries"} <= self._read(f"{video}/{FAILURE}").keys()
            for video in self._videos()
        )

    def _videos(self) -> Iterator[str]:
        yield from (f"videos/{name}" for name in self._tree.names("videos"))

    def _read(self, name: str) -> dict[str, Any]:
        """Return the mapping in a JSON file; empty where there is none."""
        try:
            content = parsed_json(self._tree.read(name))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _exists(self, name: str) -> bool:
        return self._tree.stamp(name) is not None or bool(self._tree.names(name))
