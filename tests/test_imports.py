"""Listing assets, asking for help and reading settings is quick: no heavy library is loaded for it."""

import pytest

from tests.fresh import run_code

HEAVY = {
    "av", "cv2", "lightning_fabric", "matplotlib", "numba", "open3d", "pycolmap", "scenedetect", "scipy", "skimage",
    "tokenizers", "torch", "transformers", "yt_dlp", "zarr",
}  # fmt: skip
LIGHT = {
    "help": "from pipeline.cli.app import command_line; from typer.main import get_command; "
    "print(get_command(command_line()).get_help(__import__('click').Context(get_command(command_line()))))",
    "settings": "from pipeline.settings import described, load_settings; print(load_settings())",
    "assets": "from assets import definitions; print(definitions.resolve_all_asset_specs())",
    "declarations": "from pipeline.stages.registry import stages; print(list(stages()))",
    "API": "import pipeline, training, models; print(pipeline.Dataset.__name__ and dir(pipeline))",
}
PRINTED = {"help": "process", "settings": "profile", "assets": "occupancy", "declarations": "scene", "API": "voxelize"}
"""A word of what each of them prints, so that they are known to do it."""


@pytest.mark.parametrize("name", LIGHT)
def test_no_heavy_library_is_loaded(name: str) -> None:
    printed, _, loaded = run_code(f"{LIGHT[name]}\nimport sys; print('====', *sys.modules)").partition("====")
    assert PRINTED[name] in printed
    assert not HEAVY & {module for module in loaded.split() if "." not in module}
