"""Very many videos: above ``dataset.partitions_max`` partitions are blocks of the catalog, not single videos.

Dagster advises against more than 100,000 partitions of an asset, and a run leaves some 57 records. A block is built by
one run, whatever becomes of its videos is told by the catalog and by ``youtube-occ status``.
"""

import re
from collections.abc import Iterable

import dagster as dg
import pyarrow.compute as pc

from assets.dataset.builds import built, prepared
from assets.dataset.video_builder import VideoBuilder
from assets.resources import PARTITIONS, PipelineResource
from pipeline.sources.catalog.catalog import Catalog

BLOCKS_NAME = "blocks"
BLOCKS = dg.DynamicPartitionsDefinition(name=BLOCKS_NAME)
_NAME = re.compile(r"([0-9]{9})-([0-9]{9})")


@dg.asset(partitions_def=BLOCKS, deps=["video_catalog"], group_name="dataset", kinds={"python", "zarr"})
def video_block(context: dg.AssetExecutionContext, builder: dg.ResourceParam[VideoBuilder]) -> dg.MaterializeResult:
    """All missing videos of one block of the catalog, built by one run; for catalogs of very many videos."""
    wanted = videos_of(context.partition_key, builder.pipeline.catalog())
    missing = prepared(builder, builder.pipeline.missing(frozenset(wanted)))
    return built(context, builder, missing)


def block_of(number: int, size: int) -> str:
    """Return the name of the block that a video's number of registration lies in: its first and last number."""
    first = number // size * size
    return f"{first:09d}-{first + size - 1:09d}"


def blocks_of(count: int, size: int) -> list[str]:
    """Return the blocks of a catalog of so many videos, which are numbered without gaps."""
    return [block_of(first, size) for first in range(0, count, size)]


def videos_of(block: str, catalog: Catalog) -> list[str]:
    """Return the ids of the videos of a block, in order of registration.

    Raises:
        Failure: that is no name of a block.
    """
    found = _NAME.fullmatch(block)
    if found is None:
        message = f"{block!r} is no block of videos, named by numbers of registration like {block_of(0, 1000)!r}"
        raise dg.Failure(message, allow_retries=False)
    rows = catalog.table(["video_id", "number"])
    numbers = rows["number"]
    inside = pc.and_(pc.greater_equal(numbers, int(found[1])), pc.less_equal(numbers, int(found[2])))
    return list(rows["video_id"].filter(inside).to_pylist())


def register_partitions(instance: dg.DagsterInstance, pipeline: PipelineResource) -> None:
    """Make partitions of what the catalog holds: of its videos, or of its blocks where there are very many."""
    video_ids, size = pipeline.catalog().video_ids(), pipeline.settings().dataset.block
    if pipeline.is_in_blocks():
        instance.add_dynamic_partitions(BLOCKS_NAME, blocks_of(len(video_ids), size))
    else:
        instance.add_dynamic_partitions(PARTITIONS, video_ids)


def blocks_with(video_ids: Iterable[str], catalog: Catalog, size: int) -> list[str]:
    """Return the blocks that some videos lie in, each once, in the order of the videos."""
    ids = list(video_ids)
    rows = catalog.rows(ids)
    return list(dict.fromkeys(block_of(rows[video_id].number, size) for video_id in ids if video_id in rows))
