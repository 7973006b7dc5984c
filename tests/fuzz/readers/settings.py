"""What a user writes: settings, values of the command line, sources, words."""

from pathlib import Path

import yaml

from pipeline.contract.values import parsed
from pipeline.contract.vocabulary import default_vocabulary, load_vocabulary
from pipeline.language.text import read_prompts
from pipeline.settings import Layer, load_settings, resolve
from pipeline.sources.entries import read_entries
from pipeline.sources.named import NamedVideos
from tests.fuzz.reader import Reader
from tests.paths import ROOT
from training.small.__main__ import RECIPES, recipe_of

SETTINGS = {
    "clips": {"frames_per_second": 3, "clip_min_s": 2.5},
    "semantics": {"backend": "san", "san": {"weights": "san_small", "short_side": 96, "features": "cache"}},
    "dataset": {"filters": {"motion_min": 0.1}, "order": "newest", "poll_cron": "0 * * * *"},
    "video": {"tour": {"rooms_max": 3}, "web": {"proxy": "http://example.org:8080"}},
}
EARLIER = {"download": {"height_max": 480}, "scenes": {"clip_min_s": 2}, "voxelize": {}}
ASSIGNMENTS = "clips.clip_min_s=2\nclips.frames_per_second=4.5\nsemantics.san.short_side=96\ndataset.order=newest\n"
SOURCES = {
    "profile": "small",
    "sources": [
        "tour://7",
        "films/a.mp4",
        "https://www.youtube.com/watch?v=abcdefghijk",
        {"channel": "https://www.youtube.com/@a", "limit": 20, "since": "2024-01-01", "title_include": ["(?i)tour"]},
        {"feed": "https://example.org/feed.xml", "duration_min_s": 60, "creative_commons": True},
        {"list": "list.csv", "height_max": 480, "title_exclude": ["live$"]},
        {"folder": "films"},
    ],
}


def _make_settings(folder: Path) -> None:
    (folder / "settings.yaml").write_text(yaml.safe_dump(SETTINGS))
    (folder / "earlier.yaml").write_text(yaml.safe_dump(EARLIER))
    small = load_settings("small").model_dump(mode="json")
    (folder / "stage.yaml").write_text(yaml.safe_dump({"scene": small["scene"], "profile": "small"}))


def _read_settings(folder: Path, name: str) -> object:
    return resolve(Layer("a file", "classic", folder / name)).settings


def _make_assignments(folder: Path) -> None:
    (folder / "set.txt").write_text(ASSIGNMENTS)


def _read_assignments(folder: Path, name: str) -> object:
    words = (folder / name).read_bytes().decode("utf-8", "surrogateescape").split("\n")
    return resolve(Layer("the command line", "classic", values=parsed([word for word in words if word]))).settings


def _make_sources(folder: Path) -> None:
    (folder / "sources.yaml").write_text(yaml.safe_dump(SOURCES))
    (folder / "films").mkdir()
    (folder / "films" / "b.mp4").touch()


def _read_sources(folder: Path, name: str) -> object:
    listed = read_entries(str(folder / name))
    return NamedVideos.of(listed), [entry.rules_json() for entry in listed.entries]


def _make_sources_text(folder: Path) -> None:
    (folder / "named.txt").write_text("tour://7 'films/a b.mp4' https://youtu.be/abcdefghijk http://example.org/a.mp4")


def _read_sources_text(folder: Path, name: str) -> object:
    return NamedVideos.of(read_entries((folder / name).read_bytes().decode("utf-8", "surrogateescape")))


def _make_words(folder: Path) -> None:
    (folder / "vocabulary.yaml").write_text(yaml.safe_dump(default_vocabulary().model_dump(mode="json")))


def _make_prompts(folder: Path) -> None:
    (folder / "prompts.txt").write_text("# what to look for\na wooden bookshelf\nthe sofa, red\n\nan oven\n")


def _make_recipes(folder: Path) -> None:
    for name in RECIPES:
        (folder / f"{name}.yaml").write_bytes((ROOT / "training" / "small" / f"{name}.yaml").read_bytes())


def _read_recipe(folder: Path, name: str) -> object:
    return recipe_of(Path(name).stem, folder / name)


READERS = (
    Reader("settings", _make_settings, _read_settings, 0.6, (".yaml",)),
    Reader("set", _make_assignments, _read_assignments, 6),
    Reader("sources", _make_sources, _read_sources, 0.4, (".yaml",)),
    Reader("sources_text", _make_sources_text, _read_sources_text, 0.5),
    Reader("vocabulary", _make_words, lambda folder, name: load_vocabulary(folder / name), 0.15),
    Reader("prompts", _make_prompts, lambda folder, name: read_prompts(folder / name), 6),
    Reader("recipes", _make_recipes, _read_recipe, 0.15),
)
