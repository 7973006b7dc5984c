"""The page of a video's fullest clip, kept among its files: what pages of the dataset and of Dagster link to."""

from pipeline.pictures.chosen import chosen_clip
from pipeline.pictures.viewer.clip_page import clip_page
from pipeline.pictures.viewer.clip_view import read_clip_view
from pipeline.store.groups import OCCUPANCY, SCENE
from pipeline.store.rows import clip_rows
from pipeline.store.video import VideoStore

VIEW = "view.html"
"""Name, in a video's folder, of the page."""

MARK = "<!-- made of "


def keep_view(video: VideoStore) -> str:
    """Keep the page of a video's fullest clip among its files, unless that of these grids is there; returns its path.

    The truth is left out: it is for whoever asks for it. Raises as ``read_clip_view``.
    """
    made = f"{MARK}{video.attributes(OCCUPANCY).get('fingerprint', '')} -->"
    path = video.files.path(*video.folder, VIEW)
    if video.exists(VIEW) and video.files.read_bytes(*video.folder, VIEW)[-len(made) - 1 :].strip() == made.encode():
        return path
    rows = chosen_clip(video, SCENE)
    clip_id = next(found for found, held in clip_rows(video) if held == rows)
    page = clip_page(read_clip_view(video, clip_id))
    video.files.write_bytes(f"{page}{made}\n".encode(), *video.folder, VIEW)
    return path
