from models.weights.licences import OWN_LICENCE, UNKNOWN_LICENCE, licence_of
from models.weights.registry import WEIGHTS


def test_a_file_is_known_by_what_it_holds_whatever_it_is_called():
    dust3r = WEIGHTS["dust3r_vitl_512_dpt"]
    assert dust3r.sha256
    assert licence_of("renamed.pth", dust3r.sha256).startswith("CC BY-NC-SA 4.0")
    assert licence_of(dust3r.file_name, "0" * 64) == UNKNOWN_LICENCE, "another file under its name"


def test_a_file_whose_checksum_nobody_states_is_known_by_its_name_and_our_own_by_theirs():
    assert "ask the authors" in licence_of("san_vit_b_16.pth", "0" * 64)
    assert licence_of("indoor_small.safetensors", "0" * 64) == OWN_LICENCE
    assert licence_of("mine.pth", "0" * 64) == UNKNOWN_LICENCE
