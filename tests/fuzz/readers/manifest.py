"""Manifests of strangers: how the dataset was made, which videos it names, what they are compared with."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset import manifest
from pipeline.dataset.recipe import DatasetRecipe, StageRecipe
from pipeline.settings import Layer, load_settings, resolve
from pipeline.sources.web.settings import WebSettings
from pipeline.stages.registry import stages
from tests.fuzz.reader import Reader


def _make(folder: Path) -> None:
    settings = load_settings("small")
    made = {
        name: StageRecipe(settings=dict(settings.of(stage).decisive()), weights={}, code_version=stage.code_version)
        for name, stage in stages().items()
        if name in ("clips", "scene", "video")
    }
    recipe = DatasetRecipe.model_validate(DatasetRecipe(stages=made).model_dump())
    recipe = DatasetRecipe(
        stages={name: stage.model_copy(update={"settings": recipe.values()[name]}) for name, stage in made.items()}
    )
    rows = [
        {"video_id": f"tour-{seed}", "origin": f"tour://{seed}", "licence": "", "sha256": "0" * 64}
        | {"segments": [[0.0, 2.0]], "clip_id": 0, "frame_index": row, "time_s": row / 4, "split": "train"}
        | {"intrinsics": [1.0] * 9, "camera_to_world": [1.0] * 16, "ceiling_height": 2.5, "voxels": [3] * 13}
        for seed in (5, 6)
        for row in range(3)
    ]
    table = pa.Table.from_pylist(rows, manifest.SCHEMA)
    table = table.replace_schema_metadata({manifest.HEADER: recipe.model_dump_json()})
    pq.write_table(table, folder / "manifest.parquet", compression="zstd", row_group_size=3)


def _read(folder: Path, name: str) -> object:
    path = folder / name
    shown = _settings_of(manifest.read_recipe(path))
    return shown, manifest.count_videos(path), _rows(path, manifest._expected)


def _settings_of(recipe: DatasetRecipe) -> object:
    recipe.check_names()
    settings = resolve(Layer("the manifest", values=recipe.values())).settings
    recipe.check_decisive(settings)
    return recipe.against(settings)


def _read_rows(folder: Path, name: str) -> object:
    return _rows(folder / name, manifest._fitting_groups)


def _rows(path: Path, groups: Callable[[Path, int], Iterator[pa.Table]]) -> object:
    found = []
    for expected in groups(path, WebSettings().row_group_bytes_max):
        row = manifest._row(expected, path)
        found.append((row, manifest._compared(expected, expected)))
    return found


def _make_recipe(folder: Path) -> None:
    _make(folder)
    recipe = manifest.read_recipe(folder / "manifest.parquet")
    (folder / "manifest.parquet").unlink()
    (folder / "recipe.json").write_text(recipe.model_dump_json())


def _read_recipe(folder: Path, name: str) -> object:
    try:
        recipe = DatasetRecipe.model_validate_json((folder / name).read_bytes())
    except ValueError:  # a manifest with it is refused: see ``read_recipe``
        return None
    return _settings_of(recipe)


READERS = (
    Reader("recipe", _make_recipe, _read_recipe, 0.3),
    Reader("manifest", _make, _read, 0.003, may_start=True),
    Reader("manifest_rows", _make, _read_rows, 0.35),
)
