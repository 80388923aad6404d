"""Write sample data in any format, whole or damaged."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from labelconv.convert import write
from labelconv.errors import OptionError, TargetError
from labelconv.format import Format
from labelconv.io import publishing
from labelconv.model import Dataset, Image
from labelconv.problems import Report
from labelconv.sample_data import damaged


def write_sample(
    dataset: Dataset,
    target: str | os.PathLike[str],
    format: Format,
    *,
    broken: bool = False,
    seed: int = 0,
) -> Report:
    """Write `dataset` to `target`, cut down to what `format` holds; damaged if `broken`.

    Raises `OptionError` for a format without pictures, or of folders if `broken`.
    """
    if format.write is not None and format.holds_of(Image, format.writer_options()) is None:
        raise OptionError(f"sample data are pictures, which {format.name} does not hold")
    if not broken:
        return write(dataset, target, format.name, allow=("loss",))
    if format.folder(format.writer_options()):
        raise OptionError(f"one file to damage expected, {format.name} writes a folder")
    if os.fspath(target) == "-":
        raise TargetError("a file expected as the target of damaged data")
    with tempfile.TemporaryDirectory(prefix="labelconv-sample-") as room:
        whole = Path(room) / "whole"
        report = write(dataset, whole, format.name, allow=("loss",))
        data = damaged(whole.read_bytes(), seed)
    with publishing(target, folder=False, sources=[]) as opened:
        opened.part.write_bytes(data)
        opened.publish()
    return report
