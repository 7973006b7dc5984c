"""What every name of weights has ever stood for. A line is added with a new name, and never changed."""

REGISTERED: dict[str, tuple[str, ...]] = {
    "dust3r_vitl_512_dpt": (
        "5e8bbf0c4d1d6007f5343f3f45814b956ddc5bbb4d00cb66beaf73afe5c53b34",
        "9f194a32e34fc124ed10f64115b8e848b7da87c2d1ed131d34b4806721c19dbd",
    ),
    "dust3r_vitl_512_linear": (),
    "dust3r_vitl_224_linear": ("b568afecd51e1e7642f897e91090b43007fb324cb15d8f9395d191a9326a4725",),
    "dust3r_vitl_512_dpt_hub": ("7c300a89534113436bde52732d3151212bcbd90f0aa3c8d1496f86d84bfe4b42",),
    "resnet18_places365": ("2f4759217d470da2b803f8f66cd4488a066406b555a5fb95ee9a4663f9f05588",),
    "resnet50_places365": ("46529c86902bd0cfb0ea562a30b2850c28d2620d96282b3db9c318e1d774f6c5",),
    "dinov2_small": ("ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1",),
    "dinov2_base": ("d73036b56966966d07975d696bde331762f37297e2f095de8cea0040c3aa0841",),
    "dinov2_large": ("399fba97a95f22c36834418bc69373364a99af3a1153da1c0fb31db567c92e23",),
    "da3_small": ("364492e38a3a06d221ac75da7f6621ada3f2361cd24fde11ba79091e9f40efcf",),
    "da3_base": ("e01067dc1659613083d9145a9a2547ccdbe6ccbbf83c4fe7b3e8a4e2bdae78b5",),
    "da3_metric_large": ("bbea5b0b3ee389849cffa7ddae89de064a90abd2b055fc5aa99aac68db324776",),
    "moge_2_vits": ("79a16621928c2bf0ed04659218c55c01075e950507f40bb3332fb4c873d3e1dc",),
    "moge_2_vitb": ("16b8110e86d5dc5a849db120ca96ef3a223fd30b0c9146d1d81db504073da5f6",),
    "moge_2_vitl": ("280741fd09bc3f403ccff9967784c2a391b52d2c0742ae3efdb21d9f90cc1a01",),
    "maskdino_r50": (),
    "san_vit_b_16": (),
    "san_vit_large_14": (),
}
"""SHA-256 of the files that a registered name may stand for; none where the first one is trusted."""

SHIPPED: dict[str, str] = {
    "dust3r_small": "9d4d0ab6aac74df09807aa93f33b29b5a27585f01fcd2fad4940bd7677f3fe2d",
    "indoor_small": "7de533a3e1a2724d4b49dff90c32f6b74209a29aa62168d83320daecc307c9ea",
    "moge_small": "44180a72da0b840d4c5ed7d4af21ca100bec07bb357c856632742a4446363b2d",
    "moge_small_wide": "96e33af7cb5709be76892f17624607b21e6c7505fe7cd0a04273b1d2b25cafa4",
    "san_small": "a2aace04962fc36a2c51807beb2cdacc179374b383700a56a0b64a321c92ed21",
}
"""SHA-256 of the files that come with the package."""

HOW = "give it a new name, or raise the code version of the stages that use it and say so in CHANGELOG"
"""What to do where a name is to stand for something else."""
