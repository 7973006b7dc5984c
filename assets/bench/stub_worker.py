"""A worker whose stages are stubs: it leaves what a build would leave of a video, but for its arrays."""

from assets.pools.base import Order, Outcome
from assets.pools.worker import serve
from assets.resources import PARTITION_TAG, PipelineResource
from pipeline.bench.made_up import finish_made_up
from pipeline.settings import Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.run import final_fingerprint
from pipeline.store.store import Store


class StubBuilder:
    """Finishes one video after another; the settings are asked for once, as a worker asks for them once a run."""

    def __init__(self) -> None:
        self._known: tuple[Store, Settings] | None = None

    def build(self, order: Order) -> Outcome:
        """Write the notes of all stages, and mark the video as built in the catalog."""
        store, settings = self._opened(order)
        video = store.video(order.tags[PARTITION_TAG])
        fingerprint = final_fingerprint(video.video_id, settings)
        with video.locked():
            finish_made_up(video, fingerprint, {})
        Catalog(store).mark_built(video.video_id, fingerprint)
        return Outcome()

    def _opened(self, order: Order) -> tuple[Store, Settings]:
        if self._known is None:
            given = PipelineResource.model_validate(order.run_config["resources"]["pipeline"]["config"])
            self._known = given.store(), given.settings()
        return self._known


if __name__ == "__main__":
    serve(StubBuilder)
