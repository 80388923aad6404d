"""What MAL lines hold, for each kind of media."""

from __future__ import annotations

from math import inf

import msgspec

from labelconv.errors import OptionError
from labelconv.format import ANY_DEPTH, HeldTracks, Holds
from labelconv.formats.labelbox.options import LabelboxWriterOptions
from labelconv.io import Source
from labelconv.model import (
    Audio,
    Box,
    Conversation,
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


def holds(options: LabelboxWriterOptions) -> tuple[Holds, ...]:
    """What MAL lines hold, and with an ontology, what each of its features does.

    Raises `OptionError` and, for the ontology, `SourceError`.
    """
    if options.ontology is None:
        return _holds(options)
    from labelconv.formats.labelbox.held_features import held_features
    from labelconv.formats.labelbox.ontology import read_ontology

    with Source(options.ontology).open() as file:
        features = held_features(read_ontology(file.read(), options.ontology))
    return tuple(msgspec.structs.replace(each, features=features) for each in _holds(options))


def _holds(options: LabelboxWriterOptions) -> tuple[Holds, ...]:
    """Whole samples are needed where a data row must not be torn apart."""
    return (
        Holds(
            media=Image,
            values=frozenset({Point, Box, Polyline, Polygon, Mask}),
            parts_become="annotations" if options.parts == "split" else "mask",
            holes_become="mask" if options.holes == "mask" else "filled",
            skeleton_points=options.keypoint,
            confidence=True,
            classifications=ANY_DEPTH,
            questions=ANY_DEPTH,
            relations=True,
            empty=False,
            size=False,
            uri=False,
            pieces=_pieces(options),
            ranges="none",
        ),
        _video(options),
        _text(Text, options),
        _text(Conversation, options),
        Holds(
            media=Document,
            values=frozenset({OnPage, TokenSpan}),
            on_page=frozenset({Box}),
            confidence=True,
            classifications=ANY_DEPTH,
            questions=ANY_DEPTH,
            relations=True,
            empty=False,
            size=False,
            uri=False,
            extra="own",
            ranges="none",
            read_as="document",
        ),
        Holds(
            media=TiledImage,
            values=frozenset({Point, Box, Polyline, Polygon}),
            holes_become="filled",
            skeleton_points=options.keypoint,
            confidence=True,
            classifications=ANY_DEPTH,
            questions=ANY_DEPTH,
            empty=False,
            size=False,
            uri=False,
            crs=frozenset({"EPSG:4326", "OGC:CRS84", "pixel"}),
            turned_boxes=options.boxes,
            ranges="none",
            read_as="tiled",
        ),
        Holds(
            media=Audio,
            values=frozenset(),
            questions=ANY_DEPTH,
            empty=False,
            size=False,
            uri=False,
            read_as="audio",
            timed_checklists=False,
        ),
    )


def _pieces(options: LabelboxWriterOptions) -> bool:
    """Whether nothing keeps the lines of a data row together."""
    return options.masks == "png" and options.lines is None


def _video(options: LabelboxWriterOptions) -> Holds:
    """Tracks with answers of one level on their keyframes (SDK, a note in its tests: the server
    drops a second one), and no confidence. Raises `OptionError`."""
    if not 0 <= options.tolerance < inf:
        raise OptionError(f"tolerance of 0 pixels or more expected, {options.tolerance:g} found")
    return Holds(
        media=Video,
        values=frozenset({Track}),
        keyframes=frozenset({Box, Point, Polyline, Mask}),
        classifications=1,
        questions=ANY_DEPTH,
        empty=False,
        size=False,
        uri=False,
        ranges="top",
        pieces=_pieces(options),
        read_as="video",
        tracks=HeldTracks(
            answers="keyframes",
            masks="pictures",
            outlines_become=options.video_polygon,
            tolerance=options.tolerance,
        ),
    )


def _text(media: type[Text | Conversation], options: LabelboxWriterOptions) -> Holds:
    return Holds(
        media=media,
        values=frozenset({TextSpan}),
        confidence=True,
        classifications=ANY_DEPTH,
        questions=ANY_DEPTH,
        relations=True,
        empty=False,
        size=False,
        uri=False,
        ranges="none",
        read_as="text" if media is Text else "conversation",
        offsets=options.offset_unit,
    )
