import torch

from models.symphonies.language import HIDDEN, LanguageHead


def test_two_linear_layers_lie_around_a_relu():
    torch.manual_seed(0)
    head, rows = LanguageHead(6, 10), torch.randn(7, 6)
    first, _, second = head.layers
    assert first.weight.shape == (HIDDEN * 10, 6)
    assert torch.allclose(head(rows), second(first(rows).clamp(min=0)))


def test_rows_are_taken_each_by_itself_and_there_may_be_none():
    torch.manual_seed(0)
    head, rows = LanguageHead(6, 10), torch.randn(7, 6)
    assert torch.allclose(head(rows)[3:4], head(rows[3:4]), atol=1e-6)
    assert head(rows[:0]).shape == (0, 10)


def test_without_biases_longer_features_say_the_same_louder():
    torch.manual_seed(0)
    head, rows = LanguageHead(6, 10), torch.randn(7, 6)
    for layer in (head.layers[0], head.layers[2]):
        torch.nn.init.zeros_(layer.bias)
    assert torch.allclose(head(3 * rows), 3 * head(rows), atol=1e-5)
