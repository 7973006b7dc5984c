import math

import torch

from models.mlp import Mlp

WIDTH = 16


def test_an_mlp_treats_every_token_alike_with_the_exact_gelu():
    mlp, token = Mlp(WIDTH), torch.randn(WIDTH)
    hidden = mlp.fc1(token)
    expected = mlp.fc2(hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2))))
    assert torch.allclose(mlp(token.expand(2, 5, WIDTH)), expected.expand(2, 5, WIDTH), atol=1e-6)
