"""Write sample data in any format, whole or damaged."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from labelconv.convert import write
from labelconv.errors import OptionError, TargetError
from labelconv.format import Format
from labelconv.io import walk
from labelconv.model import (
    Audio,
    Conversation,
    Dataset,
    Document,
    Image,
    Text,
    TiledImage,
    Video,
)
from labelconv.problems import Report
from labelconv.sample_data import damaged
from labelconv.targets import publishing

#: Kinds of media; sample data are of the first that a format holds.
MEDIA = (Image, Video, Text, Conversation, Document, TiledImage, Audio)


def media_of(format: Format) -> type:
    """The kind of media that sample data of a format have."""
    held = {holds.media for holds in format.holds(format.writer_options())}
    return next(media for media in MEDIA if media in held)


def write_sample(
    dataset: Dataset,
    target: str | os.PathLike[str],
    format: Format,
    *,
    broken: bool = False,
    seed: int = 0,
) -> Report:
    """Write `dataset` to `target`, cut down to what `format` holds; damaged if `broken`.

    Raises `OptionError` when there is nothing that can be damaged: no text.
    """
    if not broken:
        return write(dataset, target, format.name, allow=("loss",))
    folder = format.folder(format.writer_options())
    if os.fspath(target) == "-":
        raise TargetError("a file or folder expected as the target of damaged data")
    with publishing(target, folder=folder, sources=[]) as opened:
        with tempfile.TemporaryDirectory(prefix="labelconv-sample-") as room:
            whole = Path(room) / "whole"
            report = write(dataset, whole, format.name, allow=("loss",))
            for name in _to_damage(whole):
                path = whole / name if folder else whole
                path.write_bytes(_damaged(path, seed, format))
            shutil.move(whole, opened.part)
        opened.publish()
    return report


def _to_damage(whole: Path) -> list[str]:
    """The files that have the records: those of the commonest ending in a folder."""
    if whole.is_file():
        return [whole.name]
    names = walk(whole)
    endings = Counter(Path(name).suffix for name in names)
    commonest = endings.most_common(1)[0][0]
    return [name for name in names if name.endswith(commonest)]


def _damaged(path: Path, seed: int, format: Format) -> bytes:
    try:
        return damaged(path.read_bytes(), seed)
    except UnicodeDecodeError:
        raise OptionError(f"texts to damage expected, {format.name} writes others") from None
