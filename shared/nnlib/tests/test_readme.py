"""What the README shows runs as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PACKAGE = Path(__file__).parents[1]
EXAMPLES = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=["serving", "training"])
def test_the_examples_run(example, tmp_path, monkeypatch, capsys):
    (tmp_path / "models").symlink_to(PACKAGE.parents[1] / "models")
    Image.fromarray(np.zeros((80, 90, 3), np.uint8)).save(tmp_path / "cat.jpg")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102  our own text
    assert re.search(r"P\(cat\) = 0\.\d{3}|loss 0\.\d{3} -> 0\.00\d", capsys.readouterr().out)


def test_every_module_is_in_the_table():
    readme = (PACKAGE / "README.md").read_text()
    modules = {file.stem for file in (PACKAGE / "nnlib").glob("*.py")} - {"__init__", "arrays"}
    assert modules <= set(re.findall(r"`(\w+)`", readme))
