"""Reads the tables of a page of docs/: each section's rows, by the name in their first cell."""

from __future__ import annotations

from redis_server import ROOT


def tables(page: str) -> dict[str, dict[str, list[str]]]:
    """Section title to {name in backticks in the first cell: the other cells, without backticks}."""
    sections: dict[str, dict[str, list[str]]] = {}
    title = ""
    for line in (ROOT / "docs" / page).read_text().splitlines():
        if line.startswith("## "):
            title = line.removeprefix("## ")
        elif line.startswith("| `"):
            name, *cells = (cell.strip().replace("`", "") for cell in line.strip("|").split(" | "))
            rows = sections.setdefault(title, {})
            assert name not in rows, f"{page}: {name} has two rows under {title}"
            rows[name] = cells
    return sections
