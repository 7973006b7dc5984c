from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    Mask2FormerConfig,
    Mask2FormerForUniversalSegmentation,
    OneFormerConfig,
    OneFormerForUniversalSegmentation,
    PreTrainedModel,
    SegformerConfig,
    SegformerForSemanticSegmentation,
    SwinConfig,
)

from models.closed_set import ClosedSetSegmenter
from models.errors import UnusableInput, WrongWeights
from models.san.name_seeded import photo
from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import SettingsError
from pipeline.contract.records import MetricScene
from pipeline.contract.scale import ScaleSource
from pipeline.contract.vocabulary import GROUP_LABELS
from pipeline.stages.semantics.closed_set import ClosedSetBackend, groups_of_names
from pipeline.stages.semantics.settings import ClosedSetSettings
from tests.pipeline.module_calls import built_modules

_NAMES = ("wall", "floor-wood", "bed ", "table; dining table", "sky-other-merged", "person", "door-stuff", "windowpane")
_LABELS = (3, 2, 6, 8, 255, 255, 11, 4)

_ADE20K = """
wall, building, sky, floor, tree, ceiling, road, bed , windowpane, grass, cabinet, sidewalk, person, earth, door,
table, mountain, plant, curtain, chair, car, water, painting, sofa, shelf, house, sea, mirror, rug, field, armchair,
seat, fence, desk, rock, wardrobe, lamp, bathtub, railing, cushion, base, box, column, signboard, chest of drawers,
counter, sand, sink, skyscraper, fireplace, refrigerator, grandstand, path, stairs, runway, case, pool table, pillow,
screen door, stairway, river, bridge, bookcase, blind, coffee table, toilet, flower, book, hill, bench, countertop,
stove, palm, kitchen island, computer, swivel chair, boat, bar, arcade machine, hovel, bus, towel, light, truck,
tower, chandelier, awning, streetlight, booth, television receiver, airplane, dirt track, apparel, pole, land,
bannister, escalator, ottoman, bottle, buffet, poster, stage, van, ship, fountain, conveyer belt, canopy, washer,
plaything, swimming pool, stool, barrel, basket, waterfall, tent, bag, minibike, cradle, oven, ball, food, step, tank,
trade name, microwave, pot, animal, bicycle, lake, dishwasher, screen, blanket, sculpture, hood, sconce, vase, traffic
light, tray, ashcan, fan, pier, crt screen, plate, monitor, bulletin board, shower, radiator, glass, clock, flag
""".replace("\n", " ").strip()
_ADE20K_IDS = {
    SemanticClass.CEILING: {6},
    SemanticClass.FLOOR: {4, 29},
    SemanticClass.WALL: {1, 43},
    SemanticClass.WINDOW: {9, 19, 64},
    SemanticClass.CHAIR: {20, 31, 32, 70, 76, 111},
    SemanticClass.BED: {8, 118},
    SemanticClass.SOFA: {24, 98},
    SemanticClass.TABLE: {16, 34, 57, 65},
    SemanticClass.TVS: {75, 90, 131, 142, 144},
    SemanticClass.FURNITURE: {11, 25, 36, 38, 45, 46, 56, 63, 66, 71, 74, 78, 100},
}


_COCO_STUFF = """
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign, parking
meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, handbag, tie,
suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, surfboard, tennis
racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot dog,
pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote, keyboard, cell
phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear, hair drier, toothbrush,
banner, blanket, branch, bridge, building-other, bush, cabinet, cage, cardboard, carpet, ceiling-other, ceiling-tile,
cloth, clothes, clouds, counter, cupboard, curtain, desk-stuff, dirt, door-stuff, fence, floor-marble, floor-other,
floor-stone, floor-tile, floor-wood, flower, fog, food-other, fruit, furniture-other, grass, gravel, ground-other,
hill, house, leaves, light, mat, metal, mirror-stuff, moss, mountain, mud, napkin, net, paper, pavement, pillow,
plant-other, plastic, platform, playingfield, railing, railroad, river, road, rock, roof, rug, salad, sand, sea,
shelf, sky-other, skyscraper, snow, solid-other, stairs, stone, straw, structural-other, table, tent, textile-other,
towel, tree, vegetable, wall-brick, wall-concrete, wall-other, wall-panel, wall-stone, wall-tile, wall-wood,
water-other, waterdrops, window-blind, window-other, wood
""".replace("\n", " ").strip()


@pytest.fixture(scope="module", params=["mask2former", "oneformer", "segformer"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("network") / request.param
    _tiny(request.param).save_pretrained(path)
    return path


def test_any_kind_of_segmenter_labels_a_clip(folder: Path):
    backend = ClosedSetBackend(ClosedSetSettings(folder=folder, short_side=64, score_min=0))
    rgb = np.stack([photo("a", 480, 640), np.full((480, 640, 3), 80, np.uint8), photo("b", 480, 640)])
    semantics = backend.segment(rgb, _scene(len(rgb)))
    assert semantics.labels.shape == (3, 48, 64)
    assert set(np.unique(semantics.labels)) <= set(_LABELS)
    assert (semantics.labels[1] == SemanticClass.UNKNOWN).all()
    assert semantics.regions[0].any()
    assert not semantics.regions[1].any()
    assert list(backend.weights) == ["model.safetensors"]


def test_regions_hold_pixels_of_one_label_and_a_second_clip_loads_nothing(folder: Path):
    settings = ClosedSetSettings(folder=folder, short_side=64, score_min=0)
    semantics = ClosedSetBackend(settings).segment(photo("a", 480, 640)[None], _scene(1))
    with built_modules() as built:
        ClosedSetBackend(settings).segment(photo("b", 480, 640)[None], _scene(1))
    assert built == [], "the network of the first clip stays"
    labels, regions = semantics.labels[0], semantics.regions[0]
    pairs = np.unique(np.stack([regions[regions > 0], labels[regions > 0]]), axis=1)
    assert pairs[0].tolist() == list(range(1, regions.max() + 1))


def test_names_of_the_networks_are_kept_in_order(folder: Path):
    assert ClosedSetSegmenter.load(folder).names == _NAMES


def test_scores_are_those_of_the_network_asked_directly(tmp_path: Path):
    _tiny("segformer").save_pretrained(tmp_path)
    segmenter = ClosedSetSegmenter.load(tmp_path)
    rgb = torch.from_numpy(photo("a", 64, 96)).permute(2, 0, 1)[None].float()
    mean, std = (torch.tensor(numbers).view(3, 1, 1) for numbers in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    network = SegformerForSemanticSegmentation.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        logits = network(pixel_values=(rgb / 255 - mean) / std).logits
    grown = torch.nn.functional.interpolate(logits, (64, 96), mode="bilinear")
    assert torch.allclose(segmenter.scores(rgb, 64, (64, 96)), grown.softmax(dim=1), atol=1e-6)


def test_spellings_of_names_lead_to_their_class():
    assert GROUP_LABELS[groups_of_names(_NAMES)].tolist() == list(_LABELS)


def test_all_of_ade20k_maps_as_the_benchmark_does():
    names = tuple(_ADE20K.split(", "))
    labels = GROUP_LABELS[groups_of_names(names)]
    assert len(names) == 150
    assert {c: set((np.flatnonzero(labels == c) + 1).tolist()) for c in _ADE20K_IDS} == _ADE20K_IDS
    assert {names[i] for i in np.flatnonzero(labels == 255)} >= {"sky", "person", "animal", "building", "tree", "road"}


def test_all_of_coco_stuff_maps_to_a_class_or_to_none_of_the_room():
    names = tuple(_COCO_STUFF.split(", "))
    label = dict(zip(names, GROUP_LABELS[groups_of_names(names)].tolist(), strict=True))
    assert len(label) == 171
    expected = {
        SemanticClass.CEILING: {"ceiling-other", "ceiling-tile"},
        SemanticClass.FLOOR: {
            "floor-marble",
            "floor-other",
            "floor-stone",
            "floor-tile",
            "floor-wood",
            "carpet",
            "mat",
            "rug",
        },
        SemanticClass.WINDOW: {"curtain", "window-blind", "window-other"},
        SemanticClass.CHAIR: {"chair", "bench"},
        SemanticClass.BED: {"bed"},
        SemanticClass.SOFA: {"couch"},
        SemanticClass.TABLE: {"dining table", "table", "desk-stuff"},
        SemanticClass.TVS: {"tv", "laptop"},
        SemanticClass.FURNITURE: {"cabinet", "counter", "cupboard", "furniture-other", "shelf", "toilet"},
    }
    assert {c: {name for name in names if label[name] == c} for c in expected} == expected
    assert {name for name in names if label[name] == SemanticClass.WALL} == {n for n in names if n.startswith("wall-")}
    assert {label[name] for name in ("person", "dog", "sky-other", "tree", "road", "car")} == {255}


def test_names_of_no_class_are_named():
    with pytest.raises(SettingsError, match="label 7, tabby"):
        groups_of_names(("wall", "LABEL_7", "tabby, tabby cat"))


def test_a_folder_without_a_network_is_refused(tmp_path: Path):
    with pytest.raises(WrongWeights, match=r"config\.json"):
        ClosedSetSegmenter.load(tmp_path)


def test_a_missing_folder_is_named_with_its_setting(tmp_path: Path):
    backend = ClosedSetBackend(ClosedSetSettings(folder=tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match=r"semantics folder .*nowhere"):
        backend.segment(photo("a", 48, 64)[None], _scene(1))


def test_a_network_that_does_not_segment_is_refused(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(WrongWeights, match="segmenter"):
        ClosedSetSegmenter.load(tmp_path)


def test_a_network_with_weights_missing_is_refused(tmp_path: Path):
    from safetensors.torch import load_file, save_file

    _tiny("segformer").save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    weights = load_file(path)
    del weights["decode_head.classifier.weight"]
    save_file(weights, path, {"format": "pt"})
    with pytest.raises(WrongWeights, match=r"decode_head\.classifier\.weight"):
        ClosedSetSegmenter.load(tmp_path)


def test_pictures_of_another_layout_are_refused(folder: Path):
    with pytest.raises(UnusableInput, match=r"\(1, 64, 96, 3\)"):
        ClosedSetSegmenter.load(folder).scores(torch.zeros(1, 64, 96, 3), 64, (8, 8))


def _tiny(kind: str) -> PreTrainedModel:
    names = dict(enumerate(_NAMES))
    if kind == "segformer":
        narrow = {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 8, 8, 8], "decoder_hidden_size": 8}
        return SegformerForSemanticSegmentation(SegformerConfig(**narrow, id2label=names))
    stages = [f"stage{number}" for number in range(1, 5)]
    swin = SwinConfig(
        image_size=64, embed_dim=8, depths=[1] * 4, num_heads=[1, 1, 2, 2], window_size=4, out_features=stages
    )
    common = {
        "backbone_config": swin,
        "hidden_dim": 32,
        "num_queries": 5,
        "encoder_layers": 1,
        "decoder_layers": 2,
        "encoder_feedforward_dim": 16,
        "dim_feedforward": 16,
        "num_attention_heads": 2,
        "id2label": names,
    }
    if kind == "mask2former":
        config = Mask2FormerConfig(**common, feature_size=32, mask_feature_size=32)
        return Mask2FormerForUniversalSegmentation(config)
    text = {"text_encoder_width": 32, "text_encoder_num_layers": 1, "text_encoder_n_ctx": 2}
    return OneFormerForUniversalSegmentation(OneFormerConfig(**common, **text, mask_dim=32, conv_dim=32))


def _scene(frames: int) -> MetricScene:
    shape = (frames, 48, 64)
    return MetricScene(
        intrinsics=np.tile(np.eye(3, dtype=np.float32), (frames, 1, 1)),
        camera_to_world=np.tile(np.eye(4, dtype=np.float32), (frames, 1, 1)),
        depth=np.ones(shape, np.float32),
        confidence=np.ones(shape, np.float32),
        registered=np.ones(frames, np.bool_),
        ceiling_height=2.8,
        up_confidence=1.0,
        scale_source=ScaleSource.FLOOR_TO_CEILING,
        world_from_reconstruction=np.eye(4),
    )
