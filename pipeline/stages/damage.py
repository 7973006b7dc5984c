"""What did not read back is looked at again before anything is done: a full table of open files is no damage.

Damaged is a group whose content differs from its checksums twice, while nobody else may write it. It is moved to the
video's folder ``damaged`` and made again by the next build. Everything else is left as it is.
"""

from pipeline.contract.errors import CorruptStore, NotReadableNow, StageMissing, VideoError
from pipeline.store.contents import GROUP_METADATA, altered
from pipeline.store.groups import SCENE_ZARR
from pipeline.store.outputs import Draft, GroupOutput, Output
from pipeline.store.video import VideoStore

_ROWS_AT_ONCE = 64


def examined(video: VideoStore, error: CorruptStore) -> VideoError:
    """Move the group that ``error`` names aside if it is damaged, and return what is to be said of it.

    Whoever calls holds the video's lock.

    Raises:
        NotReadableNow: the file system cannot say.
    """
    if not error.group:
        return error
    if not all(problem(video, error.group) for _ in range(2)):
        return NotReadableNow(f"{error}; but its content is in order when it is read again, and was left alone")
    place = GroupOutput(error.group).set_aside(video)
    return CorruptStore(f"{error} (what there was of {error.group!r} lies in {place} now)", error.group)


def set_aside_if_damaged(video: VideoStore, output: Output[Draft]) -> None:
    """Move a result aside whose own notes do not read back, twice; does nothing where there is none, or a sound one."""
    if all(_notes_are_damaged(video, output) for _ in range(2)):
        output.set_aside(video)


def problem(video: VideoStore, group: str) -> str | None:
    """Return what is wrong with a group, None if nothing is; reads all of it.

    Raises:
        NotReadableNow: the file system cannot say.
    """
    try:
        listed = video.listed(group)
        if listed is None:
            return _unreadable_array(video, group)
    except StageMissing:
        return None
    except CorruptStore as error:
        return str(error)
    name = next(altered(video.files, (*video.folder, SCENE_ZARR, group), listed), None)
    return f"{video.video_id}: {group}/{name} is missing or is not what was written" if name else None


def _unreadable_array(video: VideoStore, group: str) -> str | None:
    """Return what is wrong with a group of release 0.1, which has no checksums: an array that does not decode."""
    for array in video.files.names(*video.folder, SCENE_ZARR, group):
        if array == GROUP_METADATA:
            continue
        start, count = 0, _ROWS_AT_ONCE
        while count == _ROWS_AT_ONCE:
            try:
                count = len(video.read(group, array, slice(start, start + _ROWS_AT_ONCE)))
            except CorruptStore as error:
                return str(error)
            start += count
    return None


def _notes_are_damaged(video: VideoStore, output: Output[Draft]) -> bool:
    try:
        output.noted(video)
    except (CorruptStore, KeyError, TypeError, ValueError):
        return True
    return False
