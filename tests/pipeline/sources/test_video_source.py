from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.contract.errors import BrokenListing, SettingsError
from pipeline.sources.entries import SourceEntry, SourceKind
from pipeline.sources.video_source import VideoSource, is_away, local_listing, parse_source, read_sources
from pipeline.store.video import VIDEO_ID


def test_a_tour_is_named_by_its_seed() -> None:
    source = parse_source("tour://0042")
    assert (source.kind, source.seed, source.video_id) == ("tour", 42, "tour-42")


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=10",
        "https://youtu.be/dQw4w9WgXcQ?si=x",
        "https://m.youtube.com/shorts/dQw4w9WgXcQ",
        "https://youtube.com/embed/dQw4w9WgXcQ/",
    ],
)
def test_every_form_of_a_youtube_address_gives_the_same_id(url: str) -> None:
    assert parse_source(url).video_id == "dQw4w9WgXcQ"


def test_pages_of_youtube_that_are_no_video_are_not_mistaken_for_one() -> None:
    ids = {parse_source(f"https://www.youtube.com/{page}").video_id for page in ("elevenchars", "playlist?list=PL1")}
    assert len(ids) == 2
    assert all(name.startswith("www-youtube-com") for name in ids)


def test_a_tilde_is_the_home_folder_wherever_it_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    video = tmp_path / "home" / "videos" / "kitchen.mp4"
    video.parent.mkdir(parents=True)
    video.touch()
    file = tmp_path / "sources.yaml"
    file.write_text("sources: [~/videos/kitchen.mp4, {folder: ~/videos}]")
    assert [source.origin for source in read_sources(str(file))] == [str(video)]
    assert [source.origin for source in read_sources("'~/videos/kitchen.mp4'")] == [str(video)]
    assert parse_source("./~/kitchen.mp4", tmp_path).origin == str(tmp_path / "~" / "kitchen.mp4")
    with pytest.raises(SettingsError, match="no such user"):
        parse_source("~nobody-of-that-name/kitchen.mp4")


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc/passwd",
        "ftp://example.org/a.mp4",
        "concat:a.mp4|b.mp4",
        "data:video/mp4;base64,AAAA",
        "tour://../../etc",
        "tour://-1",
        "tour://1e3",
        "tour://٣",
        "tour://99999999999",
        "http://",
        "https://user:secret@example.org/a.mp4",
        "http://example.org:99999/a.mp4",
        "http://example.org/a b.mp4",
        "http://[::1/a.mp4",
        "a\x00.mp4",
        "a\n.mp4",
    ],
)
def test_anything_but_a_tour_a_path_or_a_web_address_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_source(text)


def test_a_password_is_not_repeated_in_the_message() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_source("https://user:secret@example.org/a.mp4")
    assert "secret" not in str(caught.value)


def test_files_of_one_name_in_two_folders_have_different_ids(tmp_path: Path) -> None:
    first, second = (parse_source("tour.mp4", tmp_path / name) for name in ("a", "b"))
    assert first.video_id != second.video_id
    assert first.video_id.startswith("tour-")


def test_a_folder_stands_for_the_videos_in_it_in_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.MKV", "notes.txt", ".hidden.mp4", "deep/c.webm", ".cache/d.mp4", "odd\nname.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [Path(video.origin).relative_to(tmp_path).as_posix() for video in read_sources(f"'{tmp_path}'")]
    assert found == ["a.MKV", "b.mp4", "deep/c.webm"]


def test_a_sources_file_takes_strings_and_mappings_and_paths_relative_to_itself(tmp_path: Path) -> None:
    (tmp_path / "house.mp4").touch()
    listing = tmp_path / "sources.yaml"
    listing.write_text("sources:\n- tour://1\n- source: house.mp4\n- tour://1\n- https://example.org/a/b.mp4\n")
    videos = read_sources(str(listing))
    assert [video.kind for video in videos] == ["tour", "file", "url"]
    assert videos[1].origin == str(tmp_path / "house.mp4")


def test_one_source_is_asked_for_and_a_folder_of_two_given(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "b.mp4").touch()
    with pytest.raises(SettingsError, match="2 videos"):
        parse_source(str(tmp_path))


@given(st.text(min_size=1, max_size=200))
def test_whatever_is_written_gives_a_safe_id_or_a_settings_error(text: str) -> None:
    assume(not text.startswith("~") and not (text.isprintable() and Path(text).is_dir()))
    for candidate in (text, f"http://{text}", f"https://example.org/{text}"):
        try:
            source = parse_source(candidate)
        except SettingsError:
            continue
        assert VIDEO_ID.fullmatch(source.video_id)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=120))
def test_an_id_is_the_same_every_time_and_tells_files_apart(name: str) -> None:
    source, other = (VideoSource(kind="file", origin=f"/videos/{name}{end}.mp4") for end in ("", "2"))
    assert source.video_id == source.model_copy().video_id
    assert source.video_id != other.video_id


def test_a_folder_with_a_name_longer_than_any_file_has_is_not_there(tmp_path: Path) -> None:
    entry = SourceEntry(kind=SourceKind.FOLDER, source="9" * 5000)
    assert is_away(entry, tmp_path)
    with pytest.raises(BrokenListing, match="there is no folder 999"):
        local_listing(entry, tmp_path)
