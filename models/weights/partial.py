"""A file that is not whole yet, and which file of which server it is the beginning of.

That is noted beside it, as ``<file>.origin``, before the first byte is written.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from urllib3.response import BaseHTTPResponse


class Origin(BaseModel):
    """What the server said of the file: what tells it from others under its name, and its size in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    etag: str = ""
    modified: str = ""
    total: int | None = None

    @property
    def validator(self) -> str:
        """What ``If-Range`` may ask for: a strong ETag, else the date of the last change; empty where none is known."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified

    def may_be(self, other: "Origin") -> bool:
        """Tell whether nothing says that this is another file than ``other``; names and ETags count at one server."""
        marks = ("total", "etag", "modified") if self.url == other.url else ("total",)
        pairs = [(getattr(self, mark), getattr(other, mark)) for mark in marks]
        return all(not mine or not others or mine == others for mine, others in pairs)


def origin_of(url: str, response: BaseHTTPResponse, total: int | None) -> Origin:
    """Return what an answer says of its file."""
    headers = response.headers
    return Origin(url=url, etag=headers.get("ETag", ""), modified=headers.get("Last-Modified", ""), total=total)


def noted_origin(part: Path) -> Origin | None:
    """Return what is noted of an unfinished file, or None."""
    try:
        return Origin.model_validate_json(_note(part).read_bytes())
    except (OSError, ValidationError):
        return None


def begin(part: Path, origin: Origin) -> None:
    """Drop what there is and note what comes; raises ``OSError``."""
    drop(part)
    _note(part).write_text(origin.model_dump_json())


def drop(part: Path) -> None:
    """Remove an unfinished file and what is noted of it."""
    part.unlink(missing_ok=True)
    forget(part)


def forget(part: Path) -> None:
    """Remove what is noted of a file, which is whole now."""
    _note(part).unlink(missing_ok=True)


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.origin")
