"""The definitions load quickly and hold together."""

import subprocess
import sys

import dagster as dg

from assets import definitions
from tests.assets.workplace import ROOT

HEAVY = ("torch", "open3d", "pycolmap", "scenedetect", "yt_dlp", "numba", "transformers", "matplotlib")


def test_listing_assets_loads_no_heavy_library():
    listing = f"import sys, assets; print([name for name in {HEAVY!r} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", listing], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_everything_that_is_defined_can_be_loaded_and_says_what_it_is():
    dg.Definitions.validate_loadable(definitions)
    for key in definitions.resolve_asset_graph().get_all_asset_keys():
        node = definitions.resolve_asset_graph().get(key)
        assert node.description or node.is_external, key
        assert node.group_name in {"per_video", "dataset", "training"}, key
