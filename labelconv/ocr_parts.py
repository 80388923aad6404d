"""What stands around the pieces of a page: its picture and size, and the relations between them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from labelconv import codes
from labelconv.errors import OptionError
from labelconv.media import MediaFiles, Size, Trouble
from labelconv.model import Coordinates, Document, Image, Page, Relation
from labelconv.ocr import MOST_PAGES, Fault, Link, Parsed
from labelconv.pages import PdfPage
from labelconv.problems import Report, Where


def picture_size(
    files: MediaFiles, names: Sequence[str], beside: Sequence[str]
) -> tuple[str, Size | Trouble] | None:
    """The name and size of the first picture that there is, or what is wrong with it.

    `names` are looked for among the media files, each before its file in `beside`. None where none
    is found.
    """
    for name, path in zip(names, beside, strict=True):
        if files.given:
            found = files.size(name)
            if isinstance(found, Size) or found[0] is not codes.MEDIA_MISSING:
                return name, found
        # Unlike Path.is_file, this takes names that are too long for a file.
        if os.path.isfile(path):  # noqa: PTH113 - see above
            return name, files.size_of(path)
    return None


def related(
    links: Sequence[Link], named: Mapping[str, str], where: Where, report: Report
) -> tuple[Relation, ...]:
    """Links between pieces as relations; `named` has the annotation's id for each piece's.

    A link to a piece that is missing, or was left out, is rejected alone.
    """
    report.ledger.relations.read += len(links)
    made = []
    for number, link in enumerate(links, 1):
        source, target = named.get(link.source), named.get(link.target)
        if link.fault is not None or source is None or target is None:
            place = msgspec.structs.replace(where, pointer=link.pointer)
            record = verbatim(link.record)
            if link.fault is not None:
                said = {"expected": link.fault[0], "found": link.fault[1]}
                report.reject(codes.RECORD_MALFORMED, place, record, "relations", **said)
            else:
                missing = link.source if source is None else link.target
                code = codes.RELATION_END_MISSING
                report.reject(code, place, record, "relations", missing=missing)
            continue
        made.append(Relation(f"r{number}", link.category, source, target))
    return tuple(made)


def document(known: dict[int, Page], pdf: tuple[PdfPage, ...] | None) -> Document:
    """All pages up to the last; one that nothing says the size of is 0 × 0."""
    if pdf is not None:
        known = {**{number: page.size for number, page in enumerate(pdf)}, **known}
    if not known or all(page.width == 0 for page in known.values()):
        return Document()
    unknown = Page(0.0, 0.0)
    return Document(tuple(known.get(number, unknown) for number in range(max(known) + 1)))


def picture(page: Page) -> Image:
    """A page that is a picture; its size is in pixels, 0 × 0 where nothing says it."""
    return Image(page.width, page.height) if page.width and page.height else Image()


def last_page(parsed: Parsed, *, single: bool) -> int:
    """The number of the last page; `single` asks for one page alone. Raises `Fault`."""
    last = max((sheet.number for sheet in parsed.sheets), default=0)
    if last >= MOST_PAGES:
        raise Fault(f"at most {MOST_PAGES} pages", f"page {last + 1}")
    if single and len(parsed.sheets) != 1:
        raise Fault("one page for a picture", f"{len(parsed.sheets)}")
    return last


def page_size(given: str | None) -> Page | None:
    """What the option `page_size` says, such as `612x792`. Raises `OptionError`."""
    if given is None:
        return None
    try:
        width, height = (float(part) for part in given.lower().replace("×", "x").split("x"))
    except ValueError:
        width = height = math.nan
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise OptionError(f"a page size such as 612x792 expected, {given!r} found")
    return Page(width, height)


def is_box(outline: Coordinates) -> bool:
    """Whether an outline is an upright rectangle."""
    return len(outline) == 8 and len(set(outline[::2])) <= 2 and len(set(outline[1::2])) <= 2


def verbatim(record: Any) -> bytes:
    """A piece as its source spells it, as nearly as it is still known."""
    if isinstance(record, bytes):
        return record
    if hasattr(record, "itertext"):  # an element of XML
        from xml.etree import ElementTree as ET

        return ET.tostring(record)
    return msgspec.json.encode(record)
