"""Named weights that this project knows how to get; none of them is shipped here."""

from dataclasses import dataclass

_NAVER = "https://download.europe.naverlabs.com/ComputerVision/DUSt3R"
_HUB = "https://huggingface.co/naver/DUSt3R_ViTLarge_BaseDecoder_512_dpt/resolve"
_NAVER_LICENCE = "CC BY-NC-SA 4.0, and the licences of the training sets"
_NAVER_USE = "non-commercial research only; share alike"


@dataclass(frozen=True)
class WeightFile:
    """One downloadable file of weights.

    urls: where it lies, the first that answers is taken; all hold the same bytes.
    size_bytes: about; what the server says decides.
    sha256: lower-case hex, or None where the authors publish none: then the first download is trusted and remembered.
    use: what the licence allows, in a few words.
    """

    name: str
    file_name: str
    urls: tuple[str, ...]
    size_bytes: int
    sha256: str | None
    licence: str
    use: str

    @property
    def non_commercial(self) -> bool:
        """Whether the licence forbids commercial use."""
        return "NC" in self.licence


def _dust3r(variant: str, size_bytes: int) -> WeightFile:
    file_name = f"DUSt3R_ViTLarge_BaseDecoder_{variant}.pth"
    return WeightFile(
        name=f"dust3r_vitl_{variant}",
        file_name=file_name,
        urls=(f"{_NAVER}/{file_name}",),
        size_bytes=size_bytes,
        sha256=None,
        licence=_NAVER_LICENCE,
        use=_NAVER_USE,
    )


_DUST3R_HUB = WeightFile(
    name="dust3r_vitl_512_dpt_hub",
    file_name="DUSt3R_ViTLarge_BaseDecoder_512_dpt.safetensors",
    urls=(f"{_HUB}/61c57447d7b0adc8a1a30b2b0adec7a8935aa2a3/model.safetensors",),
    size_bytes=2_280_000_000,
    sha256=None,
    licence=_NAVER_LICENCE,
    use=_NAVER_USE,
)

_PLACES365 = "http://places2.csail.mit.edu/models_places365"
_SAN = "https://huggingface.co/Mendel192/san/resolve/main"


def _places365(depth: int, size_bytes: int) -> WeightFile:
    file_name = f"resnet{depth}_places365.pth.tar"
    return WeightFile(
        name=f"resnet{depth}_places365",
        file_name=file_name,
        urls=(f"{_PLACES365}/{file_name}",),
        size_bytes=size_bytes,
        sha256=None,
        licence="CC BY",
        use="anything, with credit to Places365 (Zhou et al., TPAMI 2018)",
    )


def _san(name: str, size_bytes: int) -> WeightFile:
    return WeightFile(
        name=name,
        file_name=f"{name}.pth",
        urls=(f"{_SAN}/{name}.pth",),
        size_bytes=size_bytes,
        sha256=None,
        licence="code MIT (SAN, OpenAI CLIP); none stated for the weights",
        use="ask the authors before commercial use; CLIP's text and vision towers are in the file",
    )


def _dinov2(size: str, size_bytes: int) -> WeightFile:
    return WeightFile(
        name=f"dinov2_{size}",
        file_name=f"dinov2_{size}.safetensors",
        urls=(f"https://huggingface.co/facebook/dinov2-{size}/resolve/main/model.safetensors",),
        size_bytes=size_bytes,
        sha256=None,
        licence="Apache-2.0",
        use="anything, with the licence's notice (Oquab et al., 2023)",
    )


WEIGHTS: dict[str, WeightFile] = {
    weights.name: weights
    for weights in (
        _dust3r("512_dpt", 2_285_000_000),
        _dust3r("512_linear", 2_130_000_000),
        _dust3r("224_linear", 2_130_000_000),
        _DUST3R_HUB,
        _places365(18, 46_000_000),
        _places365(50, 97_000_000),
        _dinov2("small", 88_000_000),
        _dinov2("base", 346_000_000),
        _dinov2("large", 1_217_000_000),
        _san("san_vit_b_16", 632_000_000),
        _san("san_vit_large_14", 1_747_000_000),
    )
}
