"""Backfills as a person starts them on Dagster's pages, asked of their GraphQL."""

import time
from collections.abc import Sequence
from urllib.error import URLError

from tests.assets.workplace import LONGEST_RUN_S, graphql

PER_VIDEO = ("video", "clips", "indoor_clips", "reconstruction", "scene", "semantics", "occupancy")

BACKFILL = """mutation ($keys: [String!], $assets: [AssetKeyInput!]) {
  launchPartitionBackfill(backfillParams: {partitionNames: $keys, assetSelection: $assets}) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""

STATUS = """query ($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"""


def wait_for_server(port: int) -> None:
    """Wait until the pages know the definitions."""
    deadline = time.monotonic() + LONGEST_RUN_S
    while time.monotonic() < deadline:
        try:
            found = graphql(port, "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")
            if found["repositoriesOrError"].get("nodes"):
                return
        except (URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.5)
    raise TimeoutError("dagster dev does not serve")


def backfilled(port: int, video_ids: Sequence[str]) -> str:
    """Have all stages of some videos made; return how that ended."""
    return ended(port, begun(port, video_ids))


def begun(port: int, video_ids: Sequence[str]) -> str:
    """Have all stages of some videos begin to be made; return the backfill."""
    stages = [{"path": [name]} for name in PER_VIDEO]
    launched = graphql(port, BACKFILL, keys=list(video_ids), assets=stages)
    return str(launched["launchPartitionBackfill"]["backfillId"])


def ended(port: int, backfill: str) -> str:
    """Wait for a backfill; return how it ended."""
    deadline = time.monotonic() + LONGEST_RUN_S
    status = "REQUESTED"
    while status in ("REQUESTED", "FAILING", "COMPLETING") and time.monotonic() < deadline:
        time.sleep(0.5)
        status = str(graphql(port, STATUS, id=backfill)["partitionBackfillOrError"]["status"])
    return status
