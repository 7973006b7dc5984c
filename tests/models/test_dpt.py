"""Pieces of dense prediction heads."""

import torch

from models.dpt import DptFusion, ResidualUnit, resized


def test_a_fusion_projects_before_it_resizes_which_comes_to_the_same():
    fusion, maps = DptFusion(8).eval(), torch.randn(1, 8, 5, 7)
    after = fusion.out_conv(resized(fusion.resConfUnit2(maps), (9, 14)))
    assert torch.allclose(fusion(maps, (9, 14)), after, atol=1e-5)
    assert fusion(maps).shape == (1, 8, 10, 14)


def test_the_coarsest_fusion_has_nothing_to_refine_a_level_with():
    assert not any("resConfUnit1" in name for name in DptFusion(8, has_skip=False).state_dict())


def test_corners_stay_on_corners():
    maps = torch.randn(1, 2, 3, 4)
    larger = resized(maps, (11, 10))
    assert torch.allclose(larger[..., 0, 0], maps[..., 0, 0])
    assert torch.allclose(larger[..., -1, -1], maps[..., -1, -1])


def test_a_residual_unit_without_weights_changes_nothing():
    unit, maps = ResidualUnit(4), torch.randn(1, 4, 3, 3)
    for parameter in unit.parameters():
        parameter.data.zero_()
    assert torch.equal(unit(maps), maps)
