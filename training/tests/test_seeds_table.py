import pytest

from training import seeds_table
from training.datasets import load_split


def test_the_table_has_a_line_an_initialisation_and_the_figure_of_not_looking(course_like, capsys):
    assert seeds_table.main(["--data", str(course_like), "--seeds", "2", "--steps", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 2 + 1
    assert all(line.count("|") == 7 for line in lines)
    assert '"cat" | | | 50.0%' in lines[-1]


def test_seed_1_is_the_original(course_data):
    """On the first steps only; that the whole run gives 80 % is pinned with the recipe."""
    split = load_split(course_data)
    assert seeds_table.accuracies(split, 1, 1.0, steps=1) == pytest.approx((137 / 209, 17 / 50), abs=0.5)
