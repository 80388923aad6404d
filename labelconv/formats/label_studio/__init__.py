"""Label Studio's exports in JSON: texts, pictures, videos and sounds; coordinates in percent."""

from __future__ import annotations

from labelconv.format import ANY_DEPTH, SHAPES, Evidence, Format, Holds, NoOptions, Reading
from labelconv.formats.label_studio.options import LabelStudioReaderOptions
from labelconv.io import Peek, Source
from labelconv.model import Audio, Box, Dataset, Image, OrientedBox, Text, TextSpan, Track, Video


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return (
        Holds(media=Text, values=frozenset({TextSpan}), questions=ANY_DEPTH, relations=True),
        Holds(media=Image, values=frozenset(SHAPES), questions=ANY_DEPTH, relations=True),
        Holds(
            media=Video,
            values=frozenset({Track}),
            keyframes=frozenset({Box, OrientedBox}),
            questions=ANY_DEPTH,
            relations=True,
        ),
        Holds(media=Audio, values=frozenset(), questions=ANY_DEPTH),
    )


def sniff(peek: Peek) -> Evidence:
    """Tasks: JSON records with data, and annotations or predictions."""
    if peek.is_folder or peek.text[:1] not in (b"{", b"["):
        return Evidence(0, "no JSON records")
    from labelconv.texts import first_names

    names = set(first_names(peek))
    made = names & {"annotations", "predictions", "completions"}
    if "data" in names and made:
        return Evidence(3, f"JSON tasks with data and {min(made)}")
    if {"annotator", "annotation_id"} <= names:
        return Evidence(3, "JSON records with annotator and annotation_id (JSON-MIN)")
    if made and b'"from_name"' in peek.text and b'"to_name"' in peek.text:
        return Evidence(3, "JSON tasks with results that have from_name and to_name")
    return Evidence(0, "no JSON tasks with data and annotations")


def read(source: Source, options: LabelStudioReaderOptions, reading: Reading) -> Dataset:
    """The tasks of an export (see `reader`, loaded when first needed)."""
    from labelconv.formats.label_studio.reader import read as read_now

    return read_now(source, options, reading)


FORMAT = Format(
    name="label-studio",
    about="Label Studio JSON: texts, pictures, videos, sounds",
    url="https://labelstud.io/guide/export",
    holds=holds,
    read=read,
    reader_options=LabelStudioReaderOptions,
    sniff=sniff,
)
