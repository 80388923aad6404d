"""Features in any order as whole samples: an index of where each feature stands, then sample by
sample. Only whole numbers are kept of each feature."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from labelconv.attributes import names_a_sample
from labelconv.formats.geojson.windows import Window, decoded
from labelconv.formats.geojson.wire import Record
from labelconv.grouping import by_row
from labelconv.io import Source
from labelconv.model import Sample
from labelconv.problems import Where

if TYPE_CHECKING:
    from labelconv.formats.geojson.features import Maker
    from labelconv.formats.geojson.samples import Named


class _Index:
    """Where each feature stands, and which sample it names."""

    def __init__(self) -> None:
        self.names: dict[Any, int] = {}
        self.rows = array("L")
        self.offsets = array("Q")
        self.lengths = array("Q")
        self.numbers = array("Q")
        self.lines = array("Q")

    def add(self, name: Any, offset: int, length: int, number: int, line: int) -> None:
        self.rows.append(self.names.setdefault(name, len(self.names)))
        self.offsets.append(offset)
        self.lengths.append(length)
        self.numbers.append(number)
        self.lines.append(line)


def samples(
    source: Source, given: Iterator[Window], sample_key: str, maker: Maker, named: Named
) -> Iterator[Sample]:
    """The samples in order of appearance, each whole."""
    index = _Index()
    for window in given:
        _note(window, sample_key, index, maker, named)
    names = list(index.names)
    with source.open() as file:
        for row, members in by_row(index.rows, len(names)):
            if not named.known(names[row]):
                # Counted as rejected with their sample.
                for member in members:
                    maker.annotations(_window(file, source.name, index, [member]), named.counted)
                continue
            window = _window(file, source.name, index, members)
            made = maker.annotations(window, named.counted)
            yield named.sample(names[row], made.get(names[row], []))
    yield from named.empty()


def _note(window: Window, sample_key: str, index: _Index, maker: Maker, named: Named) -> None:
    """Index the features of a window; those without a geometry are seen to at once."""
    places = window.places()
    others: list[int] = []
    for at, record in enumerate(window.records):
        if isinstance(record, Record) and (record.geometry is not None or record.type != "Feature"):
            name = (record.properties or {}).get(sample_key)
            if names_a_sample(name):
                where = window.where(at)
                index.add(name, *places[at], window.indexes[at], where.line or 0)
                continue
        others.append(at)
    if not others:
        return
    raws = window.raws()
    maker.annotations(
        Window(
            [window.indexes[at] for at in others],
            [window.records[at] for at in others],
            lambda: [raws[at] for at in others],
            lambda at: window.where(others[at]),
            lambda: [places[at] for at in others],
        ),
        named.counted,
    )


def _window(file: BinaryIO, name: str, index: _Index, members: list[int]) -> Window:
    raws = []
    for member in members:
        file.seek(index.offsets[member])
        raws.append(file.read(index.lengths[member]))

    def where(at: int) -> Where:
        line = index.lines[members[at]]
        if line:
            return Where(name, line)
        return Where(name, pointer=f"/features/{index.numbers[members[at]]}")

    return Window(
        [index.numbers[member] for member in members],
        decoded(raws, {}),
        lambda: raws,
        where,
        lambda: [(index.offsets[m], index.lengths[m]) for m in members],
    )
