"""Data rows: the JSON that `dataset.create_data_rows` takes, for the samples of a dataset.

The fields are those of SDK 7.17.0, `Dataset.create_data_rows`; the kinds of media are its
`MediaType`. Media are not uploaded: `row_data` says where they are.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from labelconv import codes
from labelconv.errors import LabelconvError, OptionError, TargetError
from labelconv.format import Wanted
from labelconv.io import Source
from labelconv.labelbox.datarows_carried import EXPORT, carried
from labelconv.labelbox.datarows_tables import Table, attachments_of, fields_of
from labelconv.model import (
    Audio,
    Conversation,
    Document,
    Image,
    Sample,
    Text,
    TiledImage,
    Video,
)
from labelconv.problems import Report, Where
from labelconv.reading import media_files, read_sources
from labelconv.several import matching
from labelconv.targets import publishing, refuse_device

#: Data rows that one call takes (Labelbox, limits).
MOST_ROWS = 150_000
#: Messages of a conversation, and characters of a message (Labelbox, limits).
MOST_MESSAGES, LONGEST_MESSAGE = 250, 10_000
#: Characters of a text that may stand in the data row itself (Labelbox, limits).
LONGEST_TEXT = 64_000
MEDIA_TYPES: dict[type, str] = {
    Image: "IMAGE",
    Video: "VIDEO",
    Text: "TEXT",
    Conversation: "CONVERSATIONAL",
    Document: "PDF",
    TiledImage: "TMS_GEO",
    Audio: "AUDIO",
}
_FIELD = re.compile(r"\{(?![zxy]\})([^{}]*)\}")
_FIELDS = ("key", "path", "name", "stem")
#: The address of a page, which Labelbox tells from a text.
_PAGE = re.compile(r"^[a-z][a-z0-9+.-]+://[^?#\s]+\.html?(?:[?#]\S*)?$", re.IGNORECASE)
_URL = re.compile(r"^[a-z][a-z0-9+.-]+:", re.IGNORECASE)


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where media are.

    `media` and `text_layer` are the start of a URL, to which the path of the medium is added, or a
    template with `{key}`, `{path}`, `{name}` or `{stem}`, for tiles with `{z}`, `{x}` and `{y}`
    too. Without `media`, addresses in the source are used, and texts that are short enough stand
    in the data row itself. `zoom` has the lowest and highest level of tile layers.
    """

    media: str | None = None
    text_layer: str | None = None
    zoom: tuple[int, int] = (0, 22)


def data_rows(
    samples: Iterable[Sample],
    places: Places,
    report: Report,
    *,
    metadata: Table | None = None,
    attachments: Table | None = None,
) -> Iterator[tuple[Sample, dict[str, Any]]]:
    """Each sample with its data row; once, however many pieces it comes in.

    Metadata and attachments are those that an export says of the data row, and those of the tables,
    which count where both name a field. A sample whose medium cannot be named is rejected
    (`media-missing`). Rows of tables that are of no sample are noted at the end, and addresses that
    `places` makes for several samples.
    """
    told: set[int] = set()
    shared = _Shared()
    for sample in samples:
        mark = hash(sample.key)
        if mark in told:
            continue
        told.add(mark)
        where, record = Where(sample=sample.key), msgspec.json.encode(sample.key)
        try:
            row_data = _row_data(sample, places)
        except LabelconvError as error:  # what Labelbox cannot take
            values = {"expected": "a medium that Labelbox takes", "found": str(error)}
            report.reject(codes.RECORD_MALFORMED, where, record, "samples", **values)
            continue
        if row_data is None:
            hint = "give their URL, or its start, with --media"
            values = {"name": sample.uri or sample.key, "hint": hint}
            report.reject(codes.MEDIA_MISSING, where, record, "samples", **values)
            continue
        row: dict[str, Any] = {"row_data": row_data, "global_key": sample.key}
        row["media_type"] = _media_type(sample, row_data)
        if places.media is not None and not isinstance(sample.media, TiledImage):
            shared.add(sample.key, _url(sample, places.media) or "")
        fields, attached = carried(sample, report)
        if metadata is not None:
            tabled = fields_of(metadata.of(sample.key))
            names = {each["name"] for each in tabled}
            fields = [*(each for each in fields if each.get("name") not in names), *tabled]
        if attachments is not None:
            tabled = attachments_of(attachments.of(sample.key))
            attached = [*(each for each in attached if each not in tabled), *tabled]
        if fields or metadata is not None:
            row["metadata_fields"] = fields
        if attached or attachments is not None:
            row["attachments"] = attached
        yield sample, row
    if shared.count:
        values = {"name": shared.name, "address": shared.address}
        report.add(codes.ADDRESS_SHARED, Where(), count=shared.count, **values)
    for table in filter(None, (metadata, attachments)):
        unused = sorted(table.rows.keys() - table.used)
        if unused:
            where = Where(path=table.path)
            report.add(
                codes.KEY_UNUSED, where, count=len(unused), file=table.path, example=unused[0]
            )


class _Shared:
    """Counts the samples whose address another has; `name` and `address` are of the first."""

    def __init__(self) -> None:
        self._met: set[int] = set()
        self.count, self.name, self.address = 0, "", ""

    def add(self, key: str, address: str) -> None:
        mark = hash(address)
        if mark in self._met:
            self.count += 1
            if self.count == 1:
                self.name, self.address = key, address
        self._met.add(mark)


def needed_rows(
    source: str | os.PathLike[str],
    format: str | None,
    places: Places,
    report: Report,
    *,
    options: Mapping[str, Any] | None = None,
    key: str | None = None,
    keys: str | os.PathLike[str] | None = None,
    metadata: Table | None = None,
    attachments: Table | None = None,
) -> Iterator[tuple[Sample, dict[str, Any]]]:
    """The data rows of the samples in `source`, as `data_rows`; problems go into `report`.

    Raises `SourceError`, `UnknownFormatError` or `OptionError`.
    """
    for template, flag in ((places.media, "--media"), (places.text_layer, "--text-layer")):
        if template is not None:
            check_template(template, flag)
    if not 0 <= places.zoom[0] <= places.zoom[1]:
        raise OptionError(f"levels such as 0 22 expected for --zoom, {places.zoom} found")
    files, own = media_files(None, options)
    sources = [Source(name) for name in matching(source)]
    wanted = Wanted(pieces=True, extra=frozenset((EXPORT,)))
    samples = read_sources(sources, format, own, key, keys, report, wanted, files)
    return data_rows(samples, places, report, metadata=metadata, attachments=attachments)


def _media_type(sample: Sample, row_data: str | dict[str, Any]) -> str:
    media = sample.media
    if isinstance(media, Text) and isinstance(row_data, str) and _PAGE.search(row_data):
        return "HTML"
    if isinstance(media, TiledImage) and media.crs == "pixel":
        return "TMS_SIMPLE"
    return MEDIA_TYPES[type(media)]


def _row_data(sample: Sample, places: Places) -> str | dict[str, Any] | None:
    media = sample.media
    url = _url(sample, places.media)
    if isinstance(media, TiledImage):
        if url is not None and media.bounds is None:
            raise TargetError("a tile layer whose bounds the source does not say")
        return None if url is None else _layer(media, url, places.zoom)
    if isinstance(media, Conversation) and media.messages and places.media is None:
        return _conversation(media)
    if isinstance(media, Text) and places.media is None and media.content is not None:
        return media.content if len(media.content) <= LONGEST_TEXT else url
    if isinstance(media, Document) and url is not None:
        layer = None if places.text_layer is None else _url(sample, places.text_layer)
        return {"pdf_url": url} if layer is None else {"pdf_url": url, "text_layer_url": layer}
    if url is not None and url.startswith("s3:"):
        raise TargetError(f"{url}; the SDK takes the https address of what is in S3")
    return url


def _url(sample: Sample, template: str | None) -> str | None:
    """The URL of a sample's medium: of the template, else the source's own address."""
    path = sample.uri or sample.key
    if template is None:
        return path if _URL.match(path) else None
    if _URL.match(path) and not _FIELD.search(template):
        path = re.sub(r"^[^:]+:/*[^/]*/*", "", path)  # what follows the host
    path = path.replace("\\", "/").removeprefix("./")
    name = path.rpartition("/")[2]
    fields = {
        "key": sample.key,
        "path": path,
        "name": name,
        "stem": name.rpartition(".")[0] or name,
    }
    if not _FIELD.search(template):
        return f"{template.rstrip('/')}/{quote(path.lstrip('/'))}"
    return _FIELD.sub(lambda found: quote(fields[found[1]]), template)


def _layer(media: TiledImage, url: str, zoom: tuple[int, int]) -> dict[str, Any]:
    from labelconv import tiles
    from labelconv.crs.names import PIXEL, WEB_MERCATOR

    assert media.bounds is not None  # for mypy; the caller saw to it
    known: dict[str, tiles.Epsg] = {PIXEL: "SIMPLEPIXEL", WEB_MERCATOR: "EPSG3857"}
    row = tiles.TileRow(
        layer=tiles.TileLayer(url),
        bounds=media.bounds,
        min_zoom=zoom[0],
        max_zoom=zoom[1],
        epsg=known.get(media.crs, "EPSG4326"),
    )
    return tiles.as_row_data(tiles.checked(row))


def check_template(template: str, flag: str) -> None:
    """Raise `OptionError` unless it is the start of a URL or a template of known fields."""
    unknown = [name for name in _FIELD.findall(template) if name not in _FIELDS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in _FIELDS)
        raise OptionError(f"{flag}: fields out of {known} expected, {{{unknown[0]}}} found")
    if not _URL.match(template):
        raise OptionError(
            f"{flag}: a URL expected, such as https://…/ or gs://…/, {template!r} found"
        )
    if template.lower().startswith("s3:"):
        raise OptionError(
            f"{flag}: the https address of what is in S3 expected, as the SDK takes no other; "
            f"{template!r} found"
        )


def _conversation(media: Conversation) -> dict[str, Any]:
    """The conversational data row; the authors in order of appearance, the first on the left.

    Raises `TargetError` for one that is longer than Labelbox takes (docs, limits).
    """
    longest = max(len(each.content) for each in media.messages)
    if len(media.messages) > MOST_MESSAGES or longest > LONGEST_MESSAGE:
        raise TargetError(
            f"{len(media.messages)} messages of up to {longest} characters, where {MOST_MESSAGES} "
            f"of {LONGEST_MESSAGE} is the most"
        )
    authors = list(dict.fromkeys(each.author or "" for each in media.messages))
    return {
        "type": "application/vnd.labelbox.conversational",
        "version": 1,
        "messages": [
            {
                "messageId": each.id,
                "content": each.content,
                "user": {"userId": each.author or "", "name": each.author or ""},
                "align": "left" if authors.index(each.author or "") % 2 == 0 else "right",
                "canLabel": True,
            }
            for each in media.messages
        ],
    }


def write_data_rows(
    rows: Iterable[tuple[Sample, dict[str, Any]]],
    target: str | os.PathLike[str],
    *,
    keys: str | os.PathLike[str] | None = None,
    most: int = MOST_ROWS,
) -> int:
    """Write JSON lists of at most `most` data rows; returns how many there are in all.

    The first list is the file `target`; others are named after it (`rows.2.json`). Standard output
    (`-`) gets one list of all. `keys` is a CSV
    file of what the source calls each sample and its key, which `--keys` takes. All files appear
    when the last row was written, or none. Raises `TargetError`, also where the two are one file.
    """
    count = 0
    if keys is not None and Path(keys).resolve() == Path(target).resolve():
        raise TargetError(
            f"{keys}: a file of its own expected for the keys, that of the rows found"
        )
    with publishing(target, folder=False, sources=[]) as opened:
        parts: list[tuple[Path, Path]] = []
        names = None if keys is None else _Names(Path(keys))
        limit = sys.maxsize if os.fspath(target) == "-" else most
        writer = _Lists(opened.part, Path(target), parts, limit)
        try:
            for sample, row in rows:
                writer.add(row)
                if names is not None:
                    names.add(sample)
                count += 1
            writer.finish()
            if names is not None:
                names.finish()
            for part, place in parts:
                part.replace(place)
            opened.publish()
        finally:
            writer.close()
            for part, _ in parts:
                part.unlink(missing_ok=True)
            if names is not None:
                names.discard()
    return count


class _Lists:
    """Writes lists of rows, one file after the other; `others` gets all but the first."""

    def __init__(
        self, first: Path, target: Path, others: list[tuple[Path, Path]], most: int
    ) -> None:
        self._target = target
        self._others = others
        self._most = most
        self._number = 1
        self._rows = 0
        self._file = first.open("wb")
        self._file.write(b"[")

    def add(self, row: dict[str, Any]) -> None:
        if self._rows == self._most:
            self.finish()
            self._number += 1
            place = self._target.with_name(
                f"{self._target.stem}.{self._number}{self._target.suffix}"
            )
            part = place.with_name(f".{place.name}.{os.getpid()}.part")
            self._others.append((part, place))
            self._file = part.open("wb")
            self._file.write(b"[")
            self._rows = 0
        self._file.write((b",\n" if self._rows else b"\n") + msgspec.json.encode(row))
        self._rows += 1

    def finish(self) -> None:
        self._file.write(b"\n]\n")
        self.close()

    def close(self) -> None:
        self._file.close()


class _Names:
    """The table of names and keys, whole or not at all."""

    def __init__(self, path: Path) -> None:
        refuse_device(path)
        self._path = path
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._file = self._part.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(("name", "key"))

    def add(self, sample: Sample) -> None:
        self._writer.writerow((sample.uri or sample.key, sample.key))

    def finish(self) -> None:
        self._file.close()
        self._part.replace(self._path)

    def discard(self) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)
