from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.errors import UnusableInput, WrongWeights
from models.san import San
from models.san.name_seeded import name_seeded_san
from tests.models.san.networks import SLIM, planes, slim_san


@pytest.fixture(scope="module")
def san() -> San:
    return slim_san()


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


def test_a_picture_answers_the_same_in_any_batch_of_its_size(san: San):
    images = torch.stack([planes("a", 64, 96), planes("b", 64, 96), planes("c", 64, 96)])
    text = san.text(["wall", "floor"])
    with torch.inference_mode():
        together, alone = san(images, text), san(images[1:2], text)
    # Batched products sum in another order: float32 noise.
    assert torch.allclose(together.class_logits[1], alone.class_logits[0], atol=1e-3)
    assert torch.allclose(together.mask_logits[1], alone.mask_logits[0], atol=1e-4)


def test_pictures_of_several_sizes_share_a_padded_batch(san: San):
    with torch.inference_mode():
        output = san([planes("a", 70, 50), planes("b", 40, 100)], san.text(["wall", "floor", "bed"]))
    assert output.padded_size == (96, 128)
    assert output.mask_logits.shape == (2, 6, 6, 8)
    assert output.attention_bias.shape == (2, 2, 6, 6, 8)
    assert output.region_embeddings.shape == (2, 6, 32)
    assert output.class_logits.shape == (2, 6, 4)
    assert output.semantic_map(30, 40).shape == (2, 3, 30, 40)


def test_the_large_network_drops_what_its_patches_do_not_cover():
    large = name_seeded_san(replace(SLIM, vision_patch=14, clip_grid=24))
    with torch.inference_mode():
        output = large(planes("a", 160, 224)[None], large.text(["wall"]))
    # 0.7 of 160 x 224 is 112 x 156.8, of which the patches of 14 cover 8 x 11.
    assert output.mask_logits.shape[-2:] == (10, 14)
    assert output.class_logits.isfinite().all()


def test_logits_are_products_of_regions_and_words_whatever_the_other_words(san: San):
    images = planes("a", 64, 96)[None]
    with torch.inference_mode():
        few, many = (san(images, san.text(words)) for words in (["wall", "bed"], ["lamp", "bed", "rug", "wall"]))
        rows = san.ov_classifier.class_weights(san.text(["wall", "bed"]))
    assert torch.allclose(few.class_logits, few.region_embeddings @ rows.T, atol=1e-5)
    # float32 sums of the text tower in other batches, times the scale of logits
    assert torch.allclose(few.class_logits, many.class_logits[..., [3, 1, 4]], atol=1e-4)
    assert torch.equal(few.mask_logits, many.mask_logits)


def test_proposals_are_the_answer_without_its_words(san: San):
    images = planes("a", 64, 64)[None]
    with torch.inference_mode():
        proposals, output = san.propose(images), san(images, san.text(["wall"]))
    assert all(torch.equal(value, vars(output)[name]) for name, value in vars(proposals).items() if "size" not in name)
    assert (proposals.padded_size, proposals.image_sizes) == ((64, 64), ((64, 64),))


def test_a_picture_that_is_padded_sees_its_padding_but_answers_for_itself_alone(san: San):
    with torch.inference_mode():
        output = san([planes("a", 64, 64), planes("b", 96, 128)], san.text(["wall"]))
        changed = san([planes("a", 64, 64), planes("c", 96, 128)], san.text(["wall"]))
    assert torch.allclose(output.mask_logits[0], changed.mask_logits[0], atol=1e-4)
    assert not torch.allclose(output.mask_logits[1], changed.mask_logits[1], atol=1e-2)


def test_fingerprints_follow_every_weight(san: San):
    other = name_seeded_san(SLIM)
    assert other.fingerprint == san.fingerprint
    changed = name_seeded_san(SLIM)
    with torch.no_grad():
        changed.ov_classifier.bg_embed[0, 0] += 1e-3
    assert changed.fingerprint != san.fingerprint


def test_words_are_kept_in_a_folder_for_later_loads_of_the_same_weights(tmp_path: Path, san: San):
    torch.save(_as_released(san), tmp_path / "san.pth")
    first = San.load(tmp_path / "san.pth", text_cache=tmp_path / "words").text(["wall", "bed"])
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "words").rglob("*.npz")}
    assert len(kept) == 2
    later = San.load(tmp_path / "san.pth", text_cache=tmp_path / "words")
    later.ov_classifier.forward = None  # nothing is left that could compute them
    assert torch.equal(later.text(["bed", "wall"]), first.flip(0))


def test_region_embeddings_are_unit_vectors(san: San):
    with torch.inference_mode():
        embeddings = san.propose(planes("a", 64, 64)[None]).region_embeddings
    assert torch.allclose(embeddings.norm(dim=-1), torch.ones(1, 6))


def test_the_semantic_map_sums_masks_weighted_by_class(san: San):
    with torch.inference_mode():
        output = san(planes("a", 64, 96)[None], san.text(["wall", "floor"]))
        masks = functional.interpolate(output.mask_logits, (64, 96), mode="bilinear").sigmoid()
        expected = torch.einsum("bqc,bqhw->bchw", output.class_logits.softmax(-1)[..., :-1], masks)
    assert torch.allclose(output.semantic_map(64, 96), expected, atol=1e-5)


@pytest.mark.parametrize(
    "images", [[], [torch.zeros(4, 32, 32)], [torch.zeros(32, 32)], [torch.full((3, 32, 32), torch.nan)]]
)
def test_pictures_it_cannot_read_are_refused(san: San, images: list[Tensor]):
    with pytest.raises(UnusableInput, match="picture"):
        san.propose(images)


def _as_released(san: San) -> dict[str, Tensor]:
    constants = {
        "ov_classifier.attn_mask": torch.full((77, 77), -torch.inf).triu(1),
        "criterion.empty_weight": torch.ones(172),
    }
    return {**san.state_dict(), **constants}


def _save_without(san: San, name: str, path: Path) -> None:
    state: Mapping[str, Tensor] = {key: value for key, value in _as_released(san).items() if key != name}
    torch.save(state, path)
