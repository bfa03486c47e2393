import numpy as np
import pytest
from nnlib.errors import DatasetError

from training.sources import GROUPS, TEST_MIX, group_of, mix_weights, source_of


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("cd_dog_12.jpg", "dogs"),
        ("cdb_dog_5009.jpg", "dogs"),
        ("dogbreed_00a1.jpg", "dogs"),
        ("tin_n02085620_7.jpg", "dogs"),  # Chihuahua
        ("tin_n02113799_val9.jpg", "dogs"),  # standard poodle
        ("tin_n02125311_val3.jpg", "big cats"),  # cougar
        ("tin_n02129165_3.jpg", "big cats"),  # lion
        ("ins_n02129604_tiger.jpg", "big cats"),
        ("ins_n02114367_timber-wolf.jpg", "other animals"),
        ("tin_n01443537_3.jpg", "other animals"),  # goldfish
        ("tin_n03617480_4.jpg", "people and clothes"),  # kimono
        ("ins_n09835506_ballplayer.jpg", "people and clothes"),
        ("cal_Faces_0012.jpg", "people and clothes"),
        ("cal_Leopards_0001.jpg", "big cats"),
        ("cal_crocodile_head_0003.jpg", "other animals"),
        ("cal_electric_guitar_0003.jpg", "things"),
        ("tin_n07747607_2.jpg", "things"),  # orange
    ],
)
def test_a_name_tells_what_the_picture_shows(name, group):
    assert group_of(name, is_cat=False) == group
    assert group_of(name, is_cat=True) == "cats"
    assert group in GROUPS


@pytest.mark.parametrize("name", ["holiday.jpg", "tin_cat.jpg"])
def test_a_name_that_tells_nothing_is_refused(name):
    with pytest.raises(DatasetError, match=name):
        group_of(name, is_cat=False)


def test_weights_make_the_stated_mix_whatever_the_numbers():
    names = ["tin_n02123045_1.jpg"] * 4 + ["tin_n01443537_1.jpg"] * 7 + ["tin_n02129165_1.jpg", "cal_crab_1.jpg"]
    targets = np.array([1] * 4 + [0] * 9)
    mix = {("cats", "tin"): 3.0, ("other", "tin"): 5.0, ("big cats", "tin"): 2.0}
    weights = mix_weights(names, targets, mix)
    assert weights[:4].sum() == pytest.approx(0.3)
    assert weights[4:11].sum() == pytest.approx(0.5)
    assert weights[11:].tolist() == pytest.approx([0.2, 0])


def test_a_kind_of_the_mix_without_a_picture_is_named():
    with pytest.raises(DatasetError, match="no picture of cats from cat breeds"):
        mix_weights(["tin_n02123045_1.jpg", "cd_cat_1.jpg"], np.array([1, 1]))


def test_the_stated_mix_is_that_of_the_test_part(course_data):
    files = sorted((course_data / "cats64" / "test").glob("*/*.jpg"))
    if not files:
        pytest.skip("needs the cats64 pictures: set CATNET_DATA or DATA to the folder that holds cats64/")
    counted = dict.fromkeys(TEST_MIX, 0)
    for file in files:
        kind = group_of(file.name, is_cat=file.parent.name == "cat"), source_of(file.name)
        counted[kind if kind in counted else ("other", kind[1])] += 1
    assert counted == TEST_MIX
