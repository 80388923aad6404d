"""The model spelled out: one JSON object a line, the header first, then one sample a line.

The oracle of all tests: it holds all that the model holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from labelconv import codes
from labelconv.errors import SourceError
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading, holds_all
from labelconv.io import Peek, Source, lines, skip_mark
from labelconv.model import (
    Audio,
    Conversation,
    Dataset,
    Document,
    Extra,
    Image,
    Ontology,
    Sample,
    Samples,
    Text,
    TiledImage,
    Video,
)
from labelconv.problems import Report, Where

VERSION = 1


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: what all samples share."""

    labelconv: int
    ontology: Ontology = Ontology()
    info: Extra = {}


_SAMPLE = msgspec.json.Decoder(Sample)
_HEADER = msgspec.json.Decoder(Header)


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Everything, for all media."""
    return tuple(
        msgspec.structs.replace(holds_all(media), precision=0.0)
        for media in (Image, Video, Text, Conversation, Document, TiledImage, Audio)
    )


def read(source: Source, options: NoOptions, reading: Reading) -> Dataset:
    """The samples of a native file. Raises `SourceError` when its first line is no header."""
    header = _header(source)

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        with source.open() as file:
            if skip_mark(file, source.name):
                reading.report.add(codes.ENCODING_MARK, Where(path=source.name))
            first = True
            for number, piece in lines(file):
                for offset, line in enumerate(piece.splitlines()):
                    if first:
                        first = False
                        continue
                    sample = _sample(line, Where(source.name, number + offset), reading)
                    if sample is not None:
                        yield sample

    return Samples(samples, header.ontology, header.info)


def _header(source: Source) -> Header:
    with source.open() as file:
        skip_mark(file, source.name)
        first = file.readline()
    try:
        header = _HEADER.decode(first)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError(
            f'{source.name}: a first line such as {{"labelconv": {VERSION}}} expected: {error}'
        ) from None
    if header.labelconv != VERSION:
        raise SourceError(
            f"{source.name}: version {VERSION} of the native format expected, "
            f"{header.labelconv} found"
        )
    return header


def _sample(line: bytes, where: Where, reading: Reading) -> Sample | None:
    report = reading.report
    ledger = report.ledger
    ledger.samples.read += 1
    try:
        sample = _SAMPLE.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        sentence, _, pointer = str(error).partition(" - at ")
        place = msgspec.structs.replace(where, pointer=pointer.strip("`") or None)
        report.reject(
            codes.RECORD_MALFORMED, place, line, "samples", expected="a sample", found=sentence
        )
        return None
    fields = {name.rpartition(":")[2]: value for name, value in sample.extra.items()}
    name = sample.uri if reading.keys.renames and sample.uri else sample.key
    key, problem = reading.keys.key(name, sample.key, fields)
    ledger.annotations.read += len(sample.annotations)
    ledger.classifications.read += len(sample.classifications)
    ledger.relations.read += len(sample.relations)
    if key is None:
        assert problem is not None  # keys give one or the other
        ledger.annotations.rejected += len(sample.annotations)
        ledger.classifications.rejected += len(sample.classifications)
        ledger.relations.rejected += len(sample.relations)
        report.reject(problem[0], where, line, "samples", **problem[1])
        return None
    if key == sample.key and not reading.keys.are_ids:
        return sample
    return msgspec.structs.replace(
        sample, key=key, key_is_id=sample.key_is_id or reading.keys.are_ids
    )


def write(dataset: Dataset, target: Path, options: NoOptions, report: Report) -> None:
    """Write the header and one line for each sample."""
    encode = msgspec.json.Encoder().encode_lines
    with target.open("wb") as file:
        header = Header(labelconv=VERSION, ontology=dataset.ontology, info=dataset.info)
        file.write(encode([header]))
        buffer: list[Sample] = []
        count = 0
        for sample in dataset:
            buffer.append(sample)
            count += 1
            if len(buffer) == 500:
                file.write(encode(buffer))
                buffer.clear()
        file.write(encode(buffer))
    report.ledger.written["samples"] = count


def sniff(peek: Peek) -> Evidence:
    """Native by its header."""
    if peek.text.startswith(b'{"labelconv":'):
        return Evidence(3, "a first line with the labelconv version")
    return Evidence(0, "no labelconv header in the first line")


FORMAT = Format(
    name="native",
    about="labelconv's own: the whole model, one sample a line",
    url="https://json.org",
    holds=holds,
    read=read,
    write=write,
    sniff=sniff,
    extensions=(".native.ndjson",),
)
