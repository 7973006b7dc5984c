"""Brings what earlier releases wrote to today's format, a group at a time: names of axes, checksums, and the root.

Values, provenance and fingerprints stay as they are, so that nothing that was made from a group is made again.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from pipeline.contract.errors import CorruptStore, SettingsError
from pipeline.store import publish
from pipeline.store.atomic import disk_errors
from pipeline.store.contents import GROUP_METADATA, LISTED, contents
from pipeline.store.description import FORMAT_VERSION, axes, root_attributes
from pipeline.store.drafts import remove_tree
from pipeline.store.groups import SCENE_ZARR
from pipeline.store.video import VideoStore

ROOT = f"{SCENE_ZARR}/{GROUP_METADATA}"
CONSOLIDATED = "consolidated_metadata"
"""Copies of all metadata that ``zarr.consolidate_metadata`` puts into a root; they would tell of the arrays before."""


def format_version(video: VideoStore) -> int:
    """Return the format version of a video's hierarchy, 0 where nothing tells.

    Raises:
        SettingsError: it is of a later release than this one.
        CorruptStore: the hierarchy's metadata does not read back.
    """
    if not video.exists(ROOT):
        return 0
    try:
        found = int(video.read_json(ROOT).get("attributes", {}).get("format_version", 1))
    except (AttributeError, TypeError, ValueError) as error:
        raise CorruptStore(
            f"{video.video_id}/{ROOT} tells no format version ({error}): build the video again"
        ) from error
    if found > FORMAT_VERSION:
        message = (
            f"{video.video_id} is of format version {found}, and this release knows {FORMAT_VERSION}: "
            "update youtube-occ"
        )
        raise SettingsError(message)
    return found


def stored_groups(video: VideoStore) -> list[str]:
    """Return the names of the groups that are there, whole."""
    names = video.files.names(*video.folder, SCENE_ZARR)
    return [name for name in names if "." not in name and video.has_group(name)]


def is_current(video: VideoStore, group: str) -> bool:
    """Tell whether a group lists its files and its arrays name their axes as those of today do."""
    return video.listed(group) is not None and not _renamed(video, group)


def renew_group(video: VideoStore, group: str) -> None:
    """Put a group with today's metadata in the place of the one that is there; whoever calls holds the video's lock.

    Files of arrays are linked, where the disk can, and else copied; what is killed leaves the one group or the other.

    Raises:
        DiskFull: there is no room; the group is as it was.
        CorruptStore: its metadata does not read back.
    """
    draft, listed, attributes = video.scratch / "groups" / group, video.listed(group), video.attributes(group)
    changed = _renamed(video, group)
    remove_tree(draft)
    try:
        with disk_errors():
            _gather(video, group, draft, leave=set(changed))
            for name, content in changed.items():
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                (draft / name).write_text(json.dumps(content, indent=2), encoding="utf-8")
            told = contents(draft) if listed is None else {**listed, **contents(draft, tuple(changed))}
            metadata = {"zarr_format": 3, "node_type": "group", "attributes": {**attributes, LISTED: told}}
            (draft / GROUP_METADATA).write_text(json.dumps(metadata, indent=1), encoding="utf-8")
            publish.publish(video.files, video.folder, draft, group)
    finally:
        remove_tree(draft)


def renew_root(video: VideoStore) -> None:
    """Let the hierarchy say what it is; attributes that somebody else put there stay."""
    fresh: dict[str, Any] = {"zarr_format": 3, "node_type": "group"}
    stored = video.read_json(ROOT) if video.exists(ROOT) else fresh
    kept = {name: value for name, value in stored.items() if name != CONSOLIDATED}
    video.write_json(ROOT, {**kept, "attributes": {**stored.get("attributes", {}), **root_attributes()}})


def _renamed(video: VideoStore, group: str) -> dict[str, dict[str, Any]]:
    """Return the metadata, by file name below the group, of arrays that do not name their axes as today's do."""
    found = dict[str, dict[str, Any]]()
    for array in video.files.names(*video.folder, SCENE_ZARR, group):
        if not video.has_array(group, array):
            continue
        name = f"{array}/{GROUP_METADATA}"
        try:
            content = video.read_json(f"{SCENE_ZARR}/{group}/{name}")
            wanted = list(axes(array, len(content["shape"])))
        except (CorruptStore, KeyError, TypeError) as error:
            message = f"{video.video_id}: the metadata of {group}/{array} is damaged: {error}"
            raise CorruptStore(message, group) from error
        if content.get("dimension_names") != wanted:
            found[name] = {**content, "dimension_names": wanted}
    return found


def _gather(video: VideoStore, group: str, draft: Path, leave: set[str]) -> None:
    """Bring the files of a group into a local folder, but for its own metadata and those to ``leave``."""
    root = (*video.folder, SCENE_ZARR, group)
    for path in video.files.below(*root):
        name = path.removeprefix(f"{'/'.join(root)}/")
        if name == GROUP_METADATA or name in leave:
            continue
        target = draft / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if video.files.is_local():
            _link(Path(video.files.path(path)), target)
        else:
            video.files.fetch(target, path)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)
