import numpy as np

from training import seeds_table
from training.catnet_mlp import build_mlp, course_initializer, train_full_batch
from training.datasets import load_split
from training.seeds_table import train_quickly


def test_the_table_has_a_line_an_initialisation_and_the_figure_of_not_looking(course_like, capsys):
    assert seeds_table.main(["--data", str(course_like), "--seeds", "2", "--steps", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 2 + 1
    assert all(line.count("|") == 7 for line in lines)
    assert '"cat" | | | 50.0%' in lines[-1]


def test_the_quick_way_trains_the_same_network(course_like):
    pictures = load_split(course_like).train
    slow, quick = (build_mlp(course_initializer(4)) for _ in range(2))
    losses = list(train_full_batch(slow, pictures, 200))
    np.testing.assert_allclose(train_quickly(quick, pictures, 200), losses, rtol=1e-9)
    assert losses[-1] < 0.9 * losses[0]
    for name, value in slow.parameters().items():
        np.testing.assert_allclose(quick.parameters()[name], value, rtol=1e-7, atol=1e-10)


def test_seed_1_is_the_original(course_data):
    split = load_split(course_data)
    assert seeds_table.accuracies(split, 1, 1.0) == (206 / 209, 0.8)
