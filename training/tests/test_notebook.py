"""The notebook runs from top to bottom, on the course's pictures and on none."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "training" / "walkthrough.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def run(notebook):
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    return "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))


@pytest.fixture(autouse=True)
def private_jupyter(tmp_path, monkeypatch):
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


@pytest.mark.filterwarnings("ignore")  # of the notebook machinery, not ours
def test_it_runs_without_any_data(notebook, monkeypatch, tmp_path):
    monkeypatch.setenv("DATA", str(tmp_path / "absent"))
    text = run(notebook)
    assert "made up: 209 pictures" in text
    assert "1 % wrong is caught" in text


@pytest.mark.filterwarnings("ignore")
def test_it_runs_on_the_original_pictures(notebook, course_data, monkeypatch):
    monkeypatch.setenv("DATA", str(course_data))
    text = run(notebook)
    assert "catvnoncat: 209 pictures" in text
    assert "loss 0.7717" in text


def test_it_is_kept_without_outputs(notebook):
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
