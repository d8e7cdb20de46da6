"""The report: each section of the documents from its template in sections/, between its markers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import jinja2

SECTIONS = Path(__file__).parent / "sections"


class NoMarkers(Exception):
    """No document has the markers that a section goes between."""


def table(text: str) -> str:
    """Write a Markdown table from its lines: a rule below the head, figures to the right, columns of one width."""
    rows = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in text.splitlines() if line.strip()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = ["-" * width if not column else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return "\n".join(
        f"| {' | '.join(cell.rjust(widths[at]) if at else cell.ljust(widths[at]) for at, cell in enumerate(row))} |"
        for row in [rows[0], rule, *rows[1:]]
    )


def number(value: float | None, digits: int = 0, sign: str = "") -> str:
    """Write a number with commas between its thousands; nothing is a dash."""
    return "-" if value is None else f"{value:{sign},.{digits}f}"


def percent(share: float, digits: int = 0) -> str:
    """Write a share in percent."""
    return f"{share:.{digits}%}"


def counts(of: Mapping[str, int], nothing: str = "0") -> str:
    """Write how many there are of each, as of errors by their code."""
    return ", ".join(f"{count:,} {name}" for name, count in of.items()) or nothing


def mean(values: Iterable[float]) -> float | None:
    """Return the mean, None of nothing."""
    found = [*values]
    return fmean(found) if found else None


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(SECTIONS),
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # noqa: S701  it is Markdown
)
_TEMPLATES.filters |= {"table": table, "n": number, "percent": percent, "counts": counts, "mean": mean}


def section(name: str, run: Any) -> str:
    """Write one section from what a run has found."""
    text = _TEMPLATES.get_template(f"{re.sub('[^a-z]+', '-', name)}.md").render(run=run)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def put_between(document: str, name: str, block: str) -> str:
    """Return the document with `block` between the markers of `name`."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found, rest = document.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise NoMarkers(name)
    return f"{before}{begin}\n\n{block}\n\n{end}{after}"


def renew(documents: Sequence[Path], blocks: Mapping[str, str]) -> None:
    """Put each block into the document that has its markers; `NoMarkers` names one for which there are none."""
    texts = {path: path.read_text(encoding="utf-8") for path in documents}
    for name, block in blocks.items():
        path = next((path for path, text in texts.items() if f"<!-- {name} -->" in text), documents[0])
        texts[path] = put_between(texts[path], name, block)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
