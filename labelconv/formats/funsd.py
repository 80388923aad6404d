"""FUNSD: forms with their entities, the words of each, and the links between them.

By the data set's own description (guillaumejaume.github.io/FUNSD) and its JSON: `form` lists
entities with a box (left, top, right, bottom) in pixels of the picture in `images/`, of the same
name. A link is a pair of ids, which both of its ends list.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import msgspec

from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.model import Box, Dataset
from labelconv.ocr import Fault, Link, Parsed, Piece, Placed, Sheet, held_flat, loaded, number
from labelconv.ocr_answers import count_others, listed, said
from labelconv.problems import Report

_ENDINGS = (".json",)
_EXPECTED = "a form of FUNSD, an object with the list form,"
_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_USED = frozenset(("box", "text", "label", "words", "linking", "id"))
_OF_WORDS = frozenset(("box", "text"))


class FunsdOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the FUNSD reader.

    - `level`: an annotation for each entity, or for each word.
    - `category`: the name of all annotations; without it, the label of the entity.
    - `text`: the text as an answer of each annotation (`answer`), in its extra fields
      (`extra`), or not at all (`none`).
    - `question`: the name of the question that the text answers.
    - `relation`: the name of the relations that links become.
    - `media`: the pages as documents, in points, or as pictures (`image`), in pixels, as they are
      where the pictures themselves are uploaded.
    - `dpi`: pixels to an inch, where no PDF says how large the page is.
    - `page_size`: width x height of pages in points, such as `612x792`, where no PDF
      says it.
    """

    level: Literal["entity", "word"] = "entity"
    category: str | None = None
    text: Literal["answer", "extra", "none"] = "answer"
    question: str = "text"
    relation: str = "linking"
    media: Literal["document", "image"] = "document"
    dpi: float | None = None
    page_size: str | None = None


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return held_flat(Box, confidence=False, relations=True)


def read(source: Source, options: FunsdOptions, reading: Reading) -> Dataset:
    """A file, or the `.json` files of a folder: a page for each, in pixels of its picture."""
    from labelconv.ocr_samples import read as read_now

    parse = partial(_parse, options.relation)
    return read_now(
        source, options, reading, name="funsd", endings=_ENDINGS, parse=parse, placed=_placed
    )


def _placed(path: str) -> Placed:
    """`data/annotations/7` is the form `data/7`, with its picture `data/images/7.png`."""
    folder, _, name = path.replace("\\", "/").rpartition("/")
    above, _, last = folder.rpartition("/")
    if last != "annotations":
        return Placed(path, tuple(f"{path}{ending}" for ending in _PICTURES))
    start = f"{above}/" if above or folder.startswith("/") else ""
    return Placed(f"{start}{name}", tuple(f"{start}images/{name}{end}" for end in _PICTURES))


def _parse(relation: str, data: bytes, level: str, report: Report) -> Parsed:
    given = loaded(data, _EXPECTED)
    if not isinstance(given, dict) or not isinstance(given.get("form"), list):
        raise Fault(_EXPECTED, "none")
    count_others(given, frozenset(("form",)), report, "funsd:")
    sheet = Sheet(0, pieces=[])
    links: dict[tuple[str, str], Link] = {}
    for order, entity in enumerate(given["form"]):
        pointer = f"/form/{order}"
        if not isinstance(entity, dict):
            sheet.pieces.append(_piece(entity, {}, pointer))
            continue
        count_others(entity, _USED, report, "funsd:")
        if level == "word":
            sheet.pieces += _words(entity, pointer, report)
        else:
            sheet.pieces.append(_entity(entity, pointer))
        for at, pair in enumerate(listed(entity, "linking")):
            _link(pair, f"{pointer}/linking/{at}", relation, links, report)
    if level == "word":  # no word is an end of them
        if links:
            report.field("funsd:linking", len(links))
        links = {}
    return Parsed([sheet], links=list(links.values()))


def _text(given: Any, name: str) -> str:
    """A member that is a text, or not there. Raises TypeError for anything else."""
    found = given.get(name)
    if found is None or isinstance(found, str):
        return found or ""
    raise TypeError(f"{name} {found!r}"[:60])


def _id(given: Any) -> str | None:
    """Ids are numbers; some tools write texts."""
    if isinstance(given, bool) or not isinstance(given, (int, str)):
        return None
    return str(given)


def _entity(entity: dict[str, Any], pointer: str) -> Piece:
    piece = _piece(entity, entity, pointer)
    piece.id = _id(entity.get("id"))
    if words := listed(entity, "words"):
        piece.extra = {"funsd:words": words}
    return piece


def _words(entity: dict[str, Any], pointer: str, report: Report) -> list[Piece]:
    words = listed(entity, "words")
    if not words and entity.get("text"):
        report.field("funsd:text of entities without words")
    id = _id(entity.get("id"))
    pieces = []
    for order, word in enumerate(words):
        piece = _piece(word, entity, f"{pointer}/words/{order}")
        count_others(word, _OF_WORDS, report, "funsd:")
        piece.group = id
        piece.id = None if id is None else f"{id}.{order}"
        pieces.append(piece)
    return pieces


def _piece(given: Any, entity: dict[str, Any], pointer: str) -> Piece:
    piece = Piece("", pointer=pointer, record=given)
    if not isinstance(given, dict):
        piece.fault = "an object", repr(given)[:40]
        return piece
    try:
        piece.text = _text(given, "text")
        piece.label = _text(entity, "label") or None
        left, top, right, bottom = map(number, given["box"])
        piece.box = left, top, right, bottom
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        piece.fault = "a text, a label and a box (left, top, right, bottom)", said(error)
    return piece


def _link(
    pair: Any, pointer: str, relation: str, links: dict[tuple[str, str], Link], report: Report
) -> None:
    """Note a link once, in the direction in which it is met first."""
    ends = [_id(end) for end in pair] if isinstance(pair, list) else []
    if len(ends) != 2 or ends[0] is None or ends[1] is None or ends[0] == ends[1]:
        fault = "the ids of two entities", repr(pair)[:40]
        links["", pointer] = Link(relation, pointer=pointer, record=pair, fault=fault)
    elif (ends[1], ends[0]) in links:
        report.field("funsd:linking the other way round")
    else:
        met = Link(relation, ends[0], ends[1], pointer, pair)
        links.setdefault((ends[0], ends[1]), met)


def sniff(peek: Peek) -> Evidence:
    """By its keys; a folder by those of the two parts of the data set."""
    if peek.is_folder:
        if {"training_data/", "testing_data/"} <= set(peek.entries):
            return Evidence(2, "folders training_data and testing_data")
        return Evidence(0, "no folders training_data and testing_data")
    if b'"form"' in peek.head and b'"linking"' in peek.head and b'"box"' in peek.head:
        return Evidence(3, "a form with boxes and linking")
    return Evidence(0, "no form with boxes and linking")


FORMAT = Format(
    name="funsd",
    about="FUNSD: entities of scanned forms and their links",
    url="https://guillaumejaume.github.io/FUNSD/",
    holds=holds,
    read=read,
    reader_options=FunsdOptions,
    sniff=sniff,
)
