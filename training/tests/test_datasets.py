import numpy as np
import pytest
from nnlib.preprocessing import preprocess

from training.datasets import (
    DatasetError,
    class_files,
    default_folder,
    evaluation_sets,
    in_part,
    load_split,
    read_pictures,
)


def test_the_layout_of_the_course_is_read(course_like):
    split = load_split(course_like)
    assert split.name == "catvnoncat"
    assert split.train.pixels.shape == (24, 64, 64, 3)
    assert split.train.pixels.dtype == np.uint8
    np.testing.assert_array_equal(split.test.targets, np.arange(10) % 2)


def test_a_folder_of_data_sets_is_searched_for_the_course_s(course_like, tmp_path):
    (tmp_path / "data").mkdir()
    course_like.rename(tmp_path / "data" / "catvnoncat")
    assert len(load_split(tmp_path / "data").train) == 24


def test_class_folders_are_read_and_one_picture_in_five_is_kept_for_testing(class_folders):
    split = load_split(class_folders)
    assert len(split.train) + len(split.test) == 60
    assert 3 <= len(split.test) <= 25
    assert (split.train.targets.sum() + split.test.targets.sum()) == 30


def test_the_kept_pictures_stay_the_same_when_others_are_added(class_folders):
    before = {file.name for file in class_files(class_folders) if in_part(file.name, 5)}
    (class_folders / "cats" / "one_more.jpg").write_bytes((class_folders / "cats" / "cats0.jpg").read_bytes())
    after = {file.name for file in class_files(class_folders) if in_part(file.name, 5)}
    assert after - {"one_more.jpg"} == before


def test_a_split_that_is_made_already_is_kept(class_folders, tmp_path):
    folder = tmp_path / "split"
    for part in ("train", "test"):
        (folder / part).mkdir(parents=True)
    class_folders.joinpath("cats").rename(folder / "train" / "cat")
    class_folders.joinpath("dogs").rename(folder / "train" / "noncat")
    for name in ("cat", "noncat"):
        (folder / "test" / name).mkdir()
        first = sorted((folder / "train" / name).iterdir())[0]
        first.rename(folder / "test" / name / first.name)
    split = load_split(folder)
    assert (len(split.train), len(split.test)) == (58, 2)
    assert sorted(split.test.targets) == [0, 1]


def test_training_and_serving_turn_the_same_jpeg_into_the_same_array(class_folders):
    files = [file for file in class_files(class_folders) if file.suffix == ".jpg"]
    of_training = read_pictures(files).pixels
    for file, pixels in zip(files, of_training, strict=True):
        np.testing.assert_array_equal(preprocess(file.read_bytes()).pixels, pixels)


def test_where_there_is_nothing_it_says_where_sets_come_from_and_how_to_name_them(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DatasetError) as caught:
            load_split(folder)
        for said in (str(folder), "train_catvnoncat.h5", "deeplearning.ai", "dogs-vs-cats", "make train DATA="):
            assert said in str(caught.value)


def test_a_file_that_is_no_picture_is_named(class_folders):
    (class_folders / "dogs" / "notes.txt").write_text("not a dog")
    with pytest.raises(DatasetError, match=r"notes\.txt: the content is not JPEG"):
        load_split(class_folders)


def test_a_part_without_both_classes_is_refused(class_folders):
    for file in (class_folders / "cats").iterdir():
        if not in_part(file.name, 5):
            file.unlink()
    with pytest.raises(DatasetError, match=r"the training part of .* needs both classes: 0 of"):
        load_split(class_folders)


def test_a_file_that_is_not_the_course_s_is_refused(course_like):
    (course_like / "test_catvnoncat.h5").write_bytes(b"not HDF5")
    with pytest.raises(DatasetError, match=r"test_catvnoncat\.h5: not an HDF5 file with test_set_x"):
        load_split(course_like)


def test_the_test_part_calibrates_where_there_is_no_large_set(course_like):
    split = load_split(course_like)
    sets, held_back = evaluation_sets(course_like, split)
    assert list(sets) == ["catvnoncat train", "catvnoncat test"]
    assert sets[held_back] is split.test


def test_the_large_set_calibrates_without_its_sharper_source(course_like, class_folders, tmp_path):
    large = course_like / "cats64"
    for part in ("train", "test"):
        for source, target in (("cats", "cat"), ("dogs", "noncat")):
            (large / part / target).mkdir(parents=True)
            for number, file in enumerate(sorted((class_folders / source).iterdir())):
                prefix = "tin" if number % 3 == 0 else "cd"
                (large / part / target / f"{prefix}_{source}_{number}.jpg").write_bytes(file.read_bytes())
    sets, held_back = evaluation_sets(course_like, load_split(course_like))
    expected = [f for f in class_files(large / "train") if f.name.startswith("cd_") and in_part(f.name, 10)]
    assert held_back == "cats64 validation without Tiny ImageNet"
    assert 0 < len(sets[held_back]) == len(expected)
    assert len(sets["cats64 test"]) == 60
    assert len(sets["cats64 test without Tiny ImageNet"]) == 40


def test_data_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA", str(tmp_path))
    assert default_folder() == tmp_path
