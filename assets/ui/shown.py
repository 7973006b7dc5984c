"""Hands a browser pages of the data folder: the dataset's, those of clips, pictures of stages. Nothing else of it."""

import re

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pipeline.contract.errors import PipelineError
from pipeline.dataset.page import INDEX_PAGE
from pipeline.pictures.viewer.kept import VIEW
from pipeline.stages.page import PICTURE
from pipeline.store.store import Store, data_url
from pipeline.store.video import VIDEO_ID, VIDEOS

PREFIX = "/shown/"
OF_VIDEO = re.compile(rf"{VIDEOS}/({VIDEO_ID.pattern})/({re.escape(VIEW)}|[a-z][a-z_0-9]*{re.escape(PICTURE)})")
"""A video's page, and the pictures of its stages."""


def shown_page(store: Store, path: str) -> bytes | None:
    """Return the page or picture at a path below the data folder, None where that is no page or there is none."""
    if path != "/".join(INDEX_PAGE) and not OF_VIDEO.fullmatch(path):
        return None
    try:
        return store.read_bytes(*path.split("/"))
    except (PipelineError, FileNotFoundError):
        return None


def answer_with_page(request: Request) -> Response:
    """Answer a request for a page; pages of a run with a data folder of its own are not found here."""
    page = shown_page(Store(data_url()), request.path_params["path"])
    if page is None:
        return PlainTextResponse("there is no such page in this data folder: build the video or the dataset first", 404)
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    kind = "image/jpeg" if request.path_params["path"].endswith(PICTURE) else "text/html"
    return Response(page, media_type=kind, headers=headers)
