"""Labelbox exports: the labels of a project or a model run, a data row a line (v2), and v1."""

from __future__ import annotations

from labelconv.format import ANY_DEPTH, Evidence, Format, Holds, NoOptions, Reading
from labelconv.formats.labelbox_export.options import LabelboxExportReaderOptions
from labelconv.io import Peek, Source
from labelconv.model import (
    Audio,
    Box,
    Conversation,
    Dataset,
    Document,
    Image,
    Mask,
    OnPage,
    Point,
    Polygon,
    Polyline,
    Text,
    TextSpan,
    TiledImage,
    TokenSpan,
    Track,
    Video,
)


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written; this is what exports say of each kind of media."""
    shapes = frozenset({Point, Box, Polyline, Polygon})

    def each(
        media: type,
        values: frozenset[type],
        keyframes: frozenset[type] = frozenset(),
        on_page: frozenset[type] = frozenset(),
    ) -> Holds:
        return Holds(
            media=media,
            values=values,
            keyframes=keyframes,
            on_page=on_page,
            confidence=media is not Audio,
            classifications=ANY_DEPTH if values else 0,
            questions=ANY_DEPTH,
            relations=media not in (Video, Audio),
            ids=True,
        )

    return (
        each(Image, shapes | {Mask}),
        each(Video, frozenset({Track}), shapes | {Mask}),
        each(Text, frozenset({TextSpan})),
        each(Conversation, frozenset({TextSpan})),
        each(Document, frozenset({OnPage, TokenSpan}), on_page=frozenset({Box})),
        each(TiledImage, shapes),
        each(Audio, frozenset()),
    )


def sniff(peek: Peek) -> Evidence:
    """Export v2 by `data_row` with projects or model runs, v1 by `Labeled Data`.

    MAL lines have `dataRow`.
    """
    if peek.is_folder or peek.text[:1] not in (b"{", b"["):
        return Evidence(0, "no JSON records")
    from labelconv.texts import first_names

    names = set(first_names(peek))
    beside = names & {"projects", "experiments", "media_attributes", "attachments"}
    if "data_row" in names and beside:
        return Evidence(3, f"JSON records with data_row and {min(beside)}")
    if "data_row" in names:
        return Evidence(2, "JSON records with data_row")
    if "Labeled Data" in names and names & {"DataRow ID", "Label", "ID"}:
        return Evidence(3, "JSON records with Labeled Data, as export v1 has them")
    return Evidence(0, "no JSON records with data_row or Labeled Data")


def read(source: Source, options: LabelboxExportReaderOptions, reading: Reading) -> Dataset:
    """The data rows of an export (see `reader`, loaded when first needed)."""
    from labelconv.formats.labelbox_export.reader import read as read_now

    return read_now(source, options, reading)


FORMAT = Format(
    name="labelbox-export",
    about="Labelbox exports, v2 NDJSON and v1 JSON, all kinds of media",
    url="https://docs.labelbox.com/reference/label-export",
    holds=holds,
    read=read,
    reader_options=LabelboxExportReaderOptions,
    sniff=sniff,
)
