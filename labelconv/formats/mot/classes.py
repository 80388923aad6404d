"""Names of classes: those of MOT16 (motchallenge.net, as TrackEval's docs/MOTChallenge-Official
repeat them), or those in a file."""

from __future__ import annotations

import re
from pathlib import Path

from labelconv.errors import OptionError, SourceError

OFFICIAL = (
    "pedestrian",
    "person_on_vehicle",
    "car",
    "bicycle",
    "motorbike",
    "non_mot_vehicle",
    "static_person",
    "distractor",
    "occluder",
    "occluder_on_ground",
    "occluder_full",
    "reflection",
    "crowd",
)
_NUMBERED = re.compile(r"(\d+)\s*[,:=\s]\s*(\S.*)")

Names = dict[int, str]


def official() -> Names:
    return dict(enumerate(OFFICIAL, 1))


def given(path: str) -> Names:
    """The names in the file that an option names. Raises `OptionError`."""
    try:
        lines = _lines(Path(path))
    except SourceError as error:
        raise OptionError(f"classes of mot: {error}") from error
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    if lines and all(numbered):
        return {int(found[1]): found[2] for found in numbered if found}
    return dict(enumerate(lines, 1))


def beside(path: Path) -> Names | None:
    """The names in `labels.txt` beside a gt.txt (as CVAT and datumaro write it): one a line."""
    return dict(enumerate(_lines(path), 1)) if path.is_file() else None


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: a text file in UTF-8 expected; {error}") from error
    return [line.strip() for line in text.split("\n") if line.strip()]
