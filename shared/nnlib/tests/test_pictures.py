import numpy as np
import pytest
from nnlib import pictures
from nnlib.errors import DatasetError
from nnlib.pictures import in_part, read_pictures
from nnlib.preprocessing import preprocess
from PIL import Image


def test_pictures_come_in_the_order_of_their_paths_as_serving_sees_them(picture_folder):
    read = read_pictures(picture_folder)
    files = sorted(picture_folder.glob("*/*"))
    assert read.names == tuple(file.name for file in files)
    np.testing.assert_array_equal(read.targets, [file.parent.name == "cat" for file in files])
    np.testing.assert_array_equal(read.pixels[7], preprocess(files[7].read_bytes()).pixels)


def test_files_that_are_no_pictures_are_skipped_counted_and_named(picture_folder):
    (picture_folder / "cat" / "notes.txt").write_text("no picture")
    (picture_folder / "noncat" / "cut.png").write_bytes((picture_folder / "noncat" / "dog_1.png").read_bytes()[:200])
    read = read_pictures(picture_folder)
    assert len(read) == 120
    assert [line.split(":")[0] for line in read.skipped] == ["cat/notes.txt", "noncat/cut.png"]
    assert not {"notes.txt", "cut.png"} & set(read.names)
    np.testing.assert_array_equal(read.targets, np.repeat([1, 0], 60))


@pytest.mark.parametrize(
    ("unusable", "complaint"), [("cat", "0 of 60 pictures are cats"), ("noncat", "60 of 60 pictures are cats")]
)
def test_a_class_without_a_usable_picture_is_refused_by_numbers(picture_folder, unusable, complaint):
    for file in (picture_folder / unusable).iterdir():
        file.write_bytes(b"spoilt")
    with pytest.raises(DatasetError, match=complaint):
        read_pictures(picture_folder)


def test_a_folder_that_is_not_there_or_empty_is_named(tmp_path):
    with pytest.raises(DatasetError, match="absent: no pictures"):
        read_pictures(tmp_path / "absent")


def test_the_cache_gives_the_same_pictures_without_decoding_them_again(picture_folder, tmp_path, monkeypatch):
    (picture_folder / "cat" / "notes.txt").write_text("no picture")
    decoded = read_pictures(picture_folder)
    read_pictures(picture_folder, cache=tmp_path / "cache")
    monkeypatch.setattr(pictures, "preprocess", None)
    cached = read_pictures(picture_folder, cache=tmp_path / "cache")
    np.testing.assert_array_equal(cached.pixels, decoded.pixels)
    np.testing.assert_array_equal(cached.targets, decoded.targets)
    assert (cached.names, cached.skipped) == (decoded.names, decoded.skipped)
    assert cached.fingerprint() == decoded.fingerprint()


def test_the_cache_notices_a_picture_that_was_replaced(picture_folder, tmp_path):
    read_pictures(picture_folder, cache=tmp_path / "cache")
    Image.new("RGB", (70, 70), "white").save(picture_folder / "cat" / "home_0.png")
    assert (read_pictures(picture_folder, cache=tmp_path / "cache").pixels[0] == 255).all()


def test_a_cache_whose_writing_was_interrupted_is_made_again(picture_folder, tmp_path):
    read_pictures(picture_folder, cache=tmp_path / "cache")
    (vouching,) = (tmp_path / "cache").glob("*.json")
    vouching.unlink()
    (pixels,) = (tmp_path / "cache").glob("*.npy")
    pixels.write_bytes(b"half")
    assert len(read_pictures(picture_folder, cache=tmp_path / "cache")) == 120


def test_about_one_file_in_ten_is_held_back_and_the_name_alone_decides():
    names = [f"picture{number}.jpg" for number in range(5000)]
    held_back = [name for name in names if in_part(name, 10)]
    assert 400 < len(held_back) < 600
    assert held_back == [name for name in names if in_part(name, 10)]


def test_names_and_labels_decide_the_fingerprint(picture_folder):
    before = read_pictures(picture_folder).fingerprint()
    (picture_folder / "cat" / "home_0.png").rename(picture_folder / "noncat" / "home_0.png")
    assert read_pictures(picture_folder).fingerprint() != before
