"""Hands a browser the pages that lie in the data folder: the dataset's, and those of clips. Nothing else of it."""

import re

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from pipeline.contract.errors import PipelineError
from pipeline.dataset.page import INDEX_PAGE
from pipeline.pictures.viewer.kept import VIEW
from pipeline.store.store import Store, data_url
from pipeline.store.video import VIDEO_ID, VIDEOS

PREFIX = "/shown/"
CLIP = re.compile(rf"{VIDEOS}/({VIDEO_ID.pattern})/{re.escape(VIEW)}")


def shown_page(store: Store, path: str) -> bytes | None:
    """Return the page at a path below the data folder, None where that is no page or there is none."""
    if path != "/".join(INDEX_PAGE) and not CLIP.fullmatch(path):
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
    return HTMLResponse(page, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"})
