"""How a video arrives, by the kind of its origin: a tour is rendered, a file copied, a URL fetched."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.extras import extra
from pipeline.contract.errors import DownloadGone, DownloadRefused, UnwantedVideo
from pipeline.contract.progress import Progress
from pipeline.contract.tour_origin import TOUR_SCHEME
from pipeline.sources.rules import SourceRules
from pipeline.sources.video_source import VideoSource
from pipeline.sources.web.hosts import Hosts
from pipeline.stages.video.arrival import BLOCK_BYTES, TASK, Arrival
from pipeline.stages.video.settings import VideoSettings


@dataclass(frozen=True)
class FetchRequest:
    """What is to be fetched and how: the video, its source's rules, the settings, the rate limits of hosts."""

    source: VideoSource
    settings: VideoSettings
    rules: SourceRules
    hosts: Hosts | None


def arrival_of(request: FetchRequest, drafts: Path, progress: Progress) -> Arrival:
    """Bring a video into the folder ``drafts``; raises as ``fetch``."""
    return _BY_KIND[request.source.kind](request, drafts, progress)


def _render(request: FetchRequest, drafts: Path, progress: Progress) -> Arrival:
    from pipeline.tours.tour import Tour
    from pipeline.tours.worlds import in_world

    path, named = drafts / "tour.mp4", request.source.tour
    tour = Tour.from_seed(named.seed, in_world(request.settings.tour, named.world))
    tour.write_video(path, lambda frame, count: progress(TASK, frame, count, f"frame {frame} of {count}"))
    return Arrival(path, f"Rendered tour {named.name.removeprefix(TOUR_SCHEME)}", "pipeline.tours", "CC0-1.0")


def _copy(request: FetchRequest, drafts: Path, progress: Progress) -> Arrival:
    original, path, settings = Path(request.source.origin), drafts / "copy", request.settings
    try:
        size = original.stat().st_size
        if size > settings.bytes_max:
            raise UnwantedVideo(f"{original.name} holds {size} bytes, more than {settings.bytes_max}")
        with original.open("rb") as reader, path.open("wb") as writer:
            while block := reader.read(BLOCK_BYTES):
                writer.write(block)
                progress(TASK, writer.tell(), max(size, 1), "copying")
    except FileNotFoundError as error:
        raise DownloadGone(f"{original} does not exist") from error
    except (PermissionError, IsADirectoryError) as error:
        raise DownloadRefused(f"{original} cannot be read: {error.strerror}") from error
    return Arrival(path, original.stem)


def _download(request: FetchRequest, drafts: Path, progress: Progress) -> Arrival:
    with extra("web", f"fetching {request.source.video_id}"):
        from pipeline.stages.video.transfer import download

    return download(request.source, drafts, request.settings, request.rules, request.hosts, progress)


_BY_KIND: dict[str, Callable[[FetchRequest, Path, Progress], Arrival]] = {
    "tour": _render,
    "file": _copy,
    "url": _download,
}
