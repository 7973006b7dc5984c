from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from models.errors import UnusableInput, WrongWeights
from models.san import San
from models.san.clip import ClipMap
from models.san.config import RELEASED, SanConfig
from models.san.name_seeded import TINY, name_seeded_san, photo
from models.san.positions import resize_positions
from models.san.preprocess import normalise_and_pad, resize_short_side

_SMALL = SanConfig(
    vision_width=64,
    vision_heads=2,
    clip_layers=3,
    recognition_layers=2,
    embedding=32,
    text_width=32,
    text_heads=1,
    text_layers=1,
    side_width=24,
    side_layers=4,
    queries=6,
    mask_channels=16,
    decoder_width=16,
)


@pytest.fixture(scope="module")
def san() -> San:
    return name_seeded_san(_SMALL)


@pytest.mark.parametrize(
    ("name", "parameters", "entries"), [("san_vit_b_16", 157_840_307, 440), ("san_vit_large_14", 436_674_995, 584)]
)
def test_released_sizes_have_the_parameters_of_upstream(name: str, parameters: int, entries: int):
    with torch.device("meta"):
        network = San(RELEASED[name])
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    # The files hold two more: the causal mask and the loss weights, which are constants.
    assert len(network.state_dict()) == entries


@pytest.mark.parametrize("config", [*RELEASED.values(), TINY, _SMALL])
def test_sizes_are_read_back_from_the_shapes_of_a_checkpoint(config: SanConfig):
    with torch.device("meta"):
        state = San(config).state_dict()
    assert SanConfig.of_checkpoint(state) == config


@pytest.mark.parametrize("wrapped", [True, False])
def test_loads_detectron_checkpoints_and_bare_state_dicts(tmp_path: Path, san: San, wrapped: bool):
    state = _as_released(san)
    torch.save({"model": state, "iteration": 59999} if wrapped else state, tmp_path / "san.pth")
    loaded = San.load(tmp_path / "san.pth")
    assert not loaded.training
    assert loaded.fingerprint == san.fingerprint


def test_loads_safetensors(tmp_path: Path, san: San):
    from safetensors.torch import save_file

    save_file(san.state_dict(), tmp_path / "san.safetensors")
    assert San.load(tmp_path / "san.safetensors").fingerprint == san.fingerprint


def test_loads_half_precision_as_float32(tmp_path: Path, san: San):
    torch.save({name: value.half() for name, value in san.state_dict().items()}, tmp_path / "half.pth")
    # Name-seeded weights are exact in float16, so nothing may change.
    assert San.load(tmp_path / "half.pth").fingerprint == san.fingerprint


def test_a_missing_entry_is_named(tmp_path: Path, san: San):
    _save_without(san, "clip_rec_head.ln_post.bias", tmp_path / "san.pth")
    with pytest.raises(WrongWeights, match=r"missing: clip_rec_head\.ln_post\.bias"):
        San.load(tmp_path / "san.pth")


def test_a_missing_entry_that_tells_a_size_is_named(tmp_path: Path, san: San):
    _save_without(san, "side_adapter_network.query_embed", tmp_path / "san.pth")
    with pytest.raises(WrongWeights, match=r"side_adapter_network\.query_embed is missing"):
        San.load(tmp_path / "san.pth")


def test_an_entry_too_many_is_named(tmp_path: Path, san: San):
    torch.save({**_as_released(san), "backbone.fpn.weight": torch.zeros(1)}, tmp_path / "san.pth")
    with pytest.raises(WrongWeights, match=r"unexpected: backbone\.fpn\.weight"):
        San.load(tmp_path / "san.pth")


def test_an_entry_of_another_size_is_named(tmp_path: Path, san: San):
    torch.save({**_as_released(san), "ov_classifier.bg_embed": torch.zeros(1, 768)}, tmp_path / "san.pth")
    with pytest.raises(WrongWeights, match=r"ov_classifier\.bg_embed \(1, 768\) instead of \(1, 32\)"):
        San.load(tmp_path / "san.pth")


def test_a_checkpoint_under_a_released_name_must_have_its_size(
    tmp_path: Path, san: San, monkeypatch: pytest.MonkeyPatch
):
    torch.save(_as_released(san), tmp_path / "san_vit_b_16.pth")
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
    with pytest.raises(WrongWeights, match="other sizes than san_vit_b_16"):
        San.load("san_vit_b_16")


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path):
    (tmp_path / "san.pth").write_text("<html>404</html>")
    with pytest.raises(WrongWeights, match=r"san\.pth"):
        San.load(tmp_path / "san.pth")


def test_recognition_equals_one_dense_masked_attention(san: San):
    head, grid = san.clip_rec_head, (3, 4)
    torch.manual_seed(0)
    last = ClipMap(torch.randn(2, 1, 64), torch.randn(2, 64, *grid))
    bias = torch.randn(2, 2, 6, 6, 8)
    expected = _recognise_densely(head, last, functional.adaptive_max_pool2d(bias.flatten(0, 1), grid))
    # The dense form hides tokens with -100, whose weight is below float32's resolution.
    assert torch.allclose(head(last, bias), expected, atol=1e-5)


def test_a_picture_answers_the_same_in_any_batch_of_its_size(san: San):
    images = torch.stack([_planes("a", 64, 96), _planes("b", 64, 96), _planes("c", 64, 96)])
    text = san.text(["wall", "floor"])
    with torch.inference_mode():
        together, alone = san(images, text), san(images[1:2], text)
    # Batched products sum in another order: float32 noise.
    assert torch.allclose(together.class_logits[1], alone.class_logits[0], atol=1e-3)
    assert torch.allclose(together.mask_logits[1], alone.mask_logits[0], atol=1e-4)


def test_pictures_of_several_sizes_share_a_padded_batch(san: San):
    with torch.inference_mode():
        output = san([_planes("a", 70, 50), _planes("b", 40, 100)], san.text(["wall", "floor", "bed"]))
    assert output.padded_size == (96, 128)
    assert output.mask_logits.shape == (2, 6, 6, 8)
    assert output.attention_bias.shape == (2, 2, 6, 6, 8)
    assert output.region_embeddings.shape == (2, 6, 32)
    assert output.class_logits.shape == (2, 6, 4)
    assert output.semantic_map(30, 40).shape == (2, 3, 30, 40)


def test_the_large_network_drops_what_its_patches_do_not_cover():
    large = name_seeded_san(SanConfig(**{**vars(_SMALL), "vision_patch": 14, "clip_grid": 24}))
    with torch.inference_mode():
        output = large(_planes("a", 160, 224)[None], large.text(["wall"]))
    # 0.7 of 160 x 224 is 112 x 156.8, of which the patches of 14 cover 8 x 11.
    assert output.mask_logits.shape[-2:] == (10, 14)
    assert output.class_logits.isfinite().all()


def test_region_embeddings_are_unit_vectors(san: San):
    with torch.inference_mode():
        embeddings = san.propose(_planes("a", 64, 64)[None]).region_embeddings
    assert torch.allclose(embeddings.norm(dim=-1), torch.ones(1, 6))


def test_the_semantic_map_sums_masks_weighted_by_class(san: San):
    with torch.inference_mode():
        output = san(_planes("a", 64, 96)[None], san.text(["wall", "floor"]))
        masks = functional.interpolate(output.mask_logits, (64, 96), mode="bilinear").sigmoid()
        expected = torch.einsum("bqc,bqhw->bchw", output.class_logits.softmax(-1)[..., :-1], masks)
    assert torch.allclose(output.semantic_map(64, 96), expected, atol=1e-5)


def test_position_tables_are_resized_also_where_only_the_number_of_patches_agrees():
    table = torch.arange(1600.0).view(1, 1600, 1)
    assert resize_positions(table, (40, 40)) is table
    wide = resize_positions(table, (32, 50)).view(32, 50)
    # The table ascends by one a column, and ten of fifty columns are eight of forty.
    assert wide[16, 30] - wide[16, 20] == pytest.approx(8, abs=1e-2)


def test_padding_is_mean_colour_to_the_right_and_below():
    batch = normalise_and_pad(torch.full((1, 3, 33, 64), 255.0), like=torch.zeros(()))
    assert batch.pixels.shape == (1, 3, 64, 64)
    assert batch.sizes == ((33, 64),)
    assert (batch.pixels[:, :, 33:] == 0).all()
    assert torch.allclose(batch.pixels[0, :, 0, 0], torch.tensor([1.9303, 2.0749, 2.1459]), atol=1e-4)


@pytest.mark.parametrize(("height", "width", "size"), [(480, 640, (640, 853)), (853, 480, (1137, 640))])
def test_resizing_is_that_of_pillow_within_one_grey_level(height: int, width: int, size: tuple[int, int]):
    rgb = photo("a", height, width)
    resized = resize_short_side(torch.from_numpy(rgb).permute(2, 0, 1)[None])[0]
    expected = np.asarray(Image.fromarray(rgb).resize(size[::-1], Image.Resampling.BILINEAR), np.float32)
    assert resized.shape[1:] == size
    assert np.abs(resized.permute(1, 2, 0).numpy() - expected).max() <= 1


def test_very_long_pictures_are_capped_on_their_long_side():
    assert resize_short_side(torch.zeros(1, 3, 10, 100)).shape == (1, 3, 256, 2560)


@pytest.mark.parametrize(
    "images", [[], [torch.zeros(4, 32, 32)], [torch.zeros(32, 32)], [torch.full((3, 32, 32), torch.nan)]]
)
def test_pictures_it_cannot_read_are_refused(san: San, images: list[Tensor]):
    with pytest.raises(UnusableInput, match="picture"):
        san.propose(images)


def _planes(name: str, height: int, width: int) -> Tensor:
    return torch.from_numpy(photo(name, height, width)).permute(2, 0, 1)


def _as_released(san: San) -> dict[str, Tensor]:
    constants = {
        "ov_classifier.attn_mask": torch.full((77, 77), -torch.inf).triu(1),
        "criterion.empty_weight": torch.ones(172),
    }
    return {**san.state_dict(), **constants}


def _save_without(san: San, name: str, path: Path) -> None:
    state: Mapping[str, Tensor] = {key: value for key, value in _as_released(san).items() if key != name}
    torch.save(state, path)


def _recognise_densely(head: nn.Module, last: ClipMap, pooled: Tensor) -> Tensor:
    """Run recognition as section 3.3 of the paper draws it: all tokens under one additive mask."""
    count, patches = pooled.shape[1], pooled.shape[2] * pooled.shape[3]
    mask = torch.zeros(len(pooled), count + 1 + patches, count + 1 + patches)
    mask[:, :, :count] = -100
    mask[:, torch.arange(count), torch.arange(count)] = 0
    mask[:, :count, count] = -100
    mask[:, :count, count + 1 :] = pooled.flatten(2)
    tokens = torch.cat([last.class_token.expand(-1, count, -1), last.tokens], dim=1)
    for block in head.resblocks:
        attention = nn.MultiheadAttention(64, block.attn.heads, batch_first=True)
        attention.load_state_dict(block.attn.state_dict())
        normed = block.ln_1(tokens)
        tokens = tokens + attention(normed, normed, normed, attn_mask=mask, need_weights=False)[0]
        tokens = tokens + block.mlp(block.ln_2(tokens))
    return functional.normalize(head.ln_post(tokens[:, :count]) @ head.proj, dim=-1)
