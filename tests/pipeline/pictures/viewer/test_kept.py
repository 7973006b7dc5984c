from pathlib import Path

from pipeline.pictures.viewer.kept import VIEW, keep_view
from pipeline.store.video import VideoStore


def test_a_page_is_kept_until_the_grids_are_others(room: VideoStore):
    video, path = room, Path(keep_view(room))
    assert path.parts[-3:] == ("videos", "room", VIEW)
    first = path.read_bytes()
    path.write_bytes(first.replace(b"a room", b"b room"))
    keep_view(video)
    assert b"b room" in path.read_bytes(), "of these grids there is a page"
    path.write_bytes(first[:-40] + b"<!-- made of others -->\n")
    keep_view(video)
    assert path.read_bytes() == first
