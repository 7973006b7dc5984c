"""One way of making a dataset: a video that would be made in another one is refused, unless somebody said so."""

from pipeline.contract.errors import MixedDataset
from pipeline.settings import Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.local_files import look_again
from pipeline.sources.video_source import VideoSource
from pipeline.stages.chain import finished
from pipeline.stages.run import is_built
from pipeline.store.index import first_video, read_index
from pipeline.store.store import Store


def entered(store: Store, source: VideoSource, settings: Settings) -> Catalog:
    """Return the catalog with a video in it that is to be built now; a local file is looked at again.

    Raises:
        MixedDataset: the others of the dataset were made in another way; nothing was written.
    """
    check_alike(store, settings, source.video_id)
    catalog = Catalog(store)
    catalog.add([source])
    look_again(catalog, [source])
    return catalog


def check_alike(store: Store, settings: Settings, video_id: str) -> None:
    """Make sure that a video made with these settings is made as the others of the dataset are.

    Raises:
        MixedDataset: they were made with other settings or code; the message says what to do.
    """
    other = _another(store, video_id)
    if settings.dataset.mixed or other is None or finished(video := store.video(other).as_it_is()) is None:
        return
    if not is_built(video, settings):
        raise MixedDataset(
            f"{store.path('dataset')} holds videos made in another way, as {other}: give this one a folder of its own "
            "(--data), leave out what differs (what holds: youtube-occ settings --why), or mix them (--set "
            "dataset.mixed=true)"
        )


def _another(store: Store, video_id: str) -> str | None:
    """Return a video of the dataset other than this one, or None where there is none."""
    first = first_video(store)
    if first != video_id:
        return first
    ids = read_index(store, ["video_id"])["video_id"].unique().to_pylist()
    return next((str(found) for found in ids if found != video_id), None)
