"""The samples that features name, with their keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec

from labelconv import media
from labelconv.format import Reading
from labelconv.formats.geojson.features import Made
from labelconv.formats.geojson.options import GeojsonReaderOptions
from labelconv.formats.geojson.outline import Outline
from labelconv.io import Source
from labelconv.model import Annotation, Image, Sample, TiledImage
from labelconv.problems import Where


class SamplesMet(msgspec.Struct):
    """The key of each sample by its name, None where it has none that can be used; and the names of
    those that were given."""

    keys: dict[Any, str | None]
    given: set[Any]


class Named:
    """The samples that features name, with their keys; counts them."""

    def __init__(
        self, source: Source, options: GeojsonReaderOptions, reading: Reading, seen: Outline
    ) -> None:
        self._file = PurePosixPath(source.name.replace("\\", "/")).name or source.name
        self._source = source.name
        self._pixels = options.space == "pixel"
        self._reading = reading
        self._crs = seen.crs
        self._single = options.sample_key is None and (
            seen.trailer is None or seen.trailer.sample_key is None
        )
        #: What a feature calls its sample → its key, None where it has none that can be used.
        self._keys: dict[Any, str | None] = {}
        self._given: set[Any] = set()
        self._media: dict[Any, TiledImage | Image] = {}

    def counted(self, name: Any, count: int) -> bool:
        """Whether the sample can be used; what is not is counted as rejected with its sample."""
        known = self._keys.get(name)
        if known is not None:
            return True
        if self.known(name):
            return True
        annotations = self._reading.report.ledger.annotations
        annotations.read += count
        annotations.rejected += count
        return False

    @property
    def met(self) -> SamplesMet:
        """What was met, for `fits` and `join` in another process."""
        return SamplesMet(self._keys, self._given)

    def fits(self, later: SamplesMet) -> bool:
        """Whether the samples that another process met would have had the same keys here."""
        given = self._reading.keys.given
        return all(
            key is not None and (name in self._keys or key not in given)
            for name, key in later.keys.items()
        )

    def join(self, later: SamplesMet) -> None:
        """Take in the samples that another process met; those known here are counted once."""
        again = self._keys.keys() & later.keys.keys()
        self._reading.report.ledger.samples.read -= len(again)
        given = self._reading.keys.given
        for name, key in later.keys.items():
            assert key is not None  # for mypy; `fits` saw to it
            self._keys[name] = key
            given.setdefault(key, self._called(name))
        self._given |= later.given

    def pieces(self, made: Made) -> Iterator[Sample]:
        """The annotations of a window by their samples, in order of appearance."""
        for name, each in made.items():
            yield self.sample(name, each)

    def known(self, name: Any) -> bool:
        if name in self._keys:
            return self._keys[name] is not None
        report = self._reading.report
        report.ledger.samples.read += 1
        called = self._called(name)
        key, problem = self._reading.keys.key(called, called, {})
        self._keys[name] = key
        if key is None:
            assert problem is not None  # for mypy; one of the two is there
            code, values = problem
            record = msgspec.json.encode(called)
            report.reject(code, Where(self._source, sample=called), record, "samples", **values)
            return False
        return True

    def _called(self, name: Any) -> str:
        called = self._file if self._single else name
        if isinstance(called, str):
            return called
        return str(int(called)) if called == int(called) else repr(called)

    def sample(self, name: Any, annotations: list[Annotation]) -> Sample:
        """The sample of a name that `known` knows."""
        self._given.add(name)
        key = self._keys[name]
        assert key is not None  # for mypy; `known` saw to it
        kept = self._media.get(name)
        if kept is None:
            kept = self._media[name] = self._media_of(name)
        uri = None if self._single else str(name)
        return Sample(
            key,
            kept,
            tuple(annotations),
            uri=uri if uri != key else None,
            key_is_id=self._reading.keys.are_ids,
        )

    def empty(self) -> Iterator[Sample]:
        """The samples that were named and had no annotations."""
        for name, key in self._keys.items():
            if key is not None and name not in self._given:
                yield self.sample(name, [])

    def _media_of(self, name: Any) -> TiledImage | Image:
        if not self._pixels:
            return TiledImage(self._crs)
        if not self._reading.media.given:
            return Image()
        size = self._reading.media.size(self._file if self._single else str(name))
        if isinstance(size, media.Size):
            return Image(float(size.width), float(size.height))
        return Image()
