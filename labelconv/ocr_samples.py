"""Pieces of recognised text become annotations on pages, in points: once, for all readers of it.

Pages have the size that their PDF says, found by `--media`; else the one of the record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from labelconv import codes
from labelconv.errors import OptionError
from labelconv.format import Reading
from labelconv.io import Source, files, without_suffix
from labelconv.media import Size
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Coordinates,
    Dataset,
    Document,
    FreeText,
    OnPage,
    Page,
    Polygon,
    Sample,
    Samples,
)
from labelconv.ocr import MOST_PAGES, Fault, Parsed, Piece, Sheet
from labelconv.pages import PdfPage, read_pdf, scales
from labelconv.problems import Code, Report, Where
from labelconv.textlayers import GROUP

#: How far sizes of a page may be apart, relatively, and still be the same, rounded.
_SAME = 0.005
#: The bytes of a file, the level asked for, where fields without a place are counted → its pages.
Parser: TypeAlias = Callable[[bytes, str, Report], Parsed]


def read(
    source: Source,
    options: Any,
    reading: Reading,
    *,
    name: str,
    endings: Collection[str],
    parse: Parser,
) -> Dataset:
    """A document for each file. `options` are `OcrOptions` or a record like it, of blocks only."""
    found = files(source, endings)
    asked = _page_size(options.page_size)
    dpi = getattr(options, "dpi", None)
    if dpi is not None and not dpi > 0:
        raise OptionError(f"dpi above 0 expected, {dpi:g} found")

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        for title, file in found:
            with file.open() as opened:
                data = opened.read()
            run = _Run(name, options, reading, asked, file.name)
            sample = run.sample(title, without_suffix(title, endings), data, parse)
            if sample is not None:
                yield sample

    return Samples(samples)


def _page_size(given: str | None) -> Page | None:
    if given is None:
        return None
    try:
        width, height = (float(part) for part in given.lower().replace("×", "x").split("x"))
    except ValueError:
        width = height = math.nan
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise OptionError(f"a page size such as 612x792 expected, {given!r} found")
    return Page(width, height)


class _Run:
    """One file becoming one sample."""

    def __init__(
        self, name: str, options: Any, reading: Reading, asked: Page | None, path: str
    ) -> None:
        self._name = name
        self._dpi: float | None = getattr(options, "dpi", None)
        self._options = options
        self._reading = reading
        self._report = reading.report
        self._asked = asked
        self._path = path
        self._key = ""
        self._told: set[str] = set()

    def sample(self, title: str, stem: str, data: bytes, parse: Parser) -> Sample | None:
        report, keys = self._report, self._reading.keys
        report.ledger.samples.read += 1
        key, problem = keys.key(stem, stem, {})
        if problem is not None:
            report.reject(problem[0], Where(self._path), data, "samples", **problem[1])
            return None
        assert key is not None
        self._key = key
        try:
            parsed = parse(data, getattr(self._options, "level", "block"), report)
            last = max((sheet.number for sheet in parsed.sheets), default=0)
            if last >= MOST_PAGES:
                raise Fault(f"at most {MOST_PAGES} pages", f"page {last + 1}")  # noqa: TRY301
        except (Fault, RecursionError) as error:
            fault = error if isinstance(error, Fault) else Fault("fewer levels", "very many")
            line, column, pointer = fault.place
            place = Where(self._path, line, column, pointer, key)
            values = {"expected": fault.expected, "found": fault.found}
            report.reject(codes.RECORD_MALFORMED, place, data, "samples", **values)
            return None
        pdf = self._pdf(parsed.media, title, stem)
        scaled = []
        for sheet in parsed.sheets:
            if sheet.upwards and not self._flip(sheet, parsed.media or stem, data):
                return None
            page_and_scale = self._scale(sheet, pdf)
            if page_and_scale is None:
                values = {"name": stem, "hint": _HINT}
                report.reject(codes.MEDIA_MISSING, self._where(None), data, "samples", **values)
                return None
            scaled.append((sheet, *page_and_scale))
        annotations = self._annotations([(sheet, scale) for sheet, _, scale in scaled])
        known = {sheet.number: page for sheet, page, _ in scaled}
        media = _document(known, pdf)
        return Sample(key, media, annotations, uri=parsed.media, key_is_id=keys.are_ids)

    def _where(self, piece: Piece | None) -> Where:
        if piece is None:
            return Where(self._path, sample=self._key)
        return Where(self._path, piece.line, None, piece.pointer, self._key)

    # ------------------------------------------------------------------ pages

    def _pdf(self, media: str | None, title: str, stem: str) -> tuple[PdfPage, ...] | None:
        """The pages of the document's PDF, if it is among the media files and can be read."""
        if self._reading.media.folder is None:
            return None
        names = [media or "", f"{stem}.pdf", f"{title}.pdf", stem, f"{Path(stem).stem}.pdf"]
        for name in dict.fromkeys(each for each in names if each.lower().endswith(".pdf")):
            found = self._reading.media.find(name)
            if isinstance(found, Path):
                pages = read_pdf(found)
                if pages and isinstance(pages[0], PdfPage):
                    return pages
                found = pages  # type: ignore[assignment]
            if not isinstance(found, Path) and found[0] is not codes.MEDIA_MISSING:
                self._report.add(found[0], self._where(None), **found[1])
                return None
        return None

    def _flip(self, sheet: Sheet, media: str, data: bytes) -> bool:
        """Count y from the top, by the height of the page's picture; False if it is not known."""
        if sheet.height is None:
            found = self._reading.media.size(media)
            if not isinstance(found, Size):
                self._report.reject(found[0], self._where(None), data, "samples", **found[1])
                return False
            sheet.width, sheet.height = float(found.width), float(found.height)
        top = sheet.height
        for piece in sheet.pieces:
            if piece.box is not None:
                x0, y0, x1, y1 = piece.box
                piece.box = x0, top - y1, x1, top - y0
        return True

    def _scale(
        self, sheet: Sheet, pdf: tuple[PdfPage, ...] | None
    ) -> tuple[Page, tuple[float, float]] | None:
        """The page in points, and points per unit along x and y; None where it cannot be known."""
        page = self._asked
        if pdf is not None:
            if sheet.number < len(pdf):
                page = pdf[sheet.number].size
                self._tell_unit(pdf[sheet.number])
            else:
                self._guess(
                    "pages that the PDF does not have",
                    f"it has {len(pdf)}, page {sheet.number + 1} goes by the record",
                )
        unit, width, height = sheet.unit, sheet.width, sheet.height
        if unit in ("fractions", "percent"):
            return None if page is None else (page, scales(unit, page))
        sized = width is not None and height is not None and width > 0 and height > 0
        if unit == "pixels" and page is None:
            dpi = self._dpi or sheet.dpi
            if dpi is None:
                self._guess(
                    "pixels taken as points",
                    "no resolution is known (-O dpi=…) and no PDF (--media)",
                )
            factor = scales(unit, dpi=dpi or 72.0)
        elif unit == "pixels":
            if not sized and self._dpi is None and sheet.dpi is None:
                return None
            assert page is not None
            pixels = (width or 1.0, height or 1.0) if sized else None
            factor = scales(unit, page, pixels=pixels, dpi=self._dpi or sheet.dpi or 72.0)
        else:
            factor = scales(unit)
            if page is not None and sized:
                assert width is not None
                assert height is not None
                across, down = page.width / width, page.height / height
                if max(abs(across / factor[0] - 1), abs(down / factor[1] - 1)) > _SAME:
                    self._guess(
                        f"page {sheet.number + 1}, {width:g} × {height:g} {unit}, is stretched",
                        f"it has {page.width:g} × {page.height:g} points",
                    )
                    factor = across, down
        if page is None:
            page = Page((width or 0.0) * factor[0], (height or 0.0) * factor[1])
        return page, factor

    def _tell_unit(self, page: PdfPage) -> None:
        if page.user_unit != 1:
            self._guess(
                f"a PDF with user units of {page.user_unit:g} points",
                "taken as points, as viewers do",
            )

    def _guess(self, what: str, evidence: str) -> None:
        """Say once for each document how it is read."""
        if what not in self._told:
            self._told.add(what)
            where = self._where(None)
            self._report.add(codes.CONVENTION_GUESSED, where, what=what, evidence=evidence)

    # ------------------------------------------------------------------ annotations

    def _annotations(
        self, sheets: list[tuple[Sheet, tuple[float, float]]]
    ) -> tuple[Annotation, ...]:
        options, report, name = self._options, self._report, self._name
        level, named = getattr(options, "level", "block"), options.category
        wanted = self._reading.wanted.extra
        grouped = wanted is None or "labelbox-text-layer" in wanted
        kept_text = wanted is None or name in wanted
        as_answer, as_extra = options.text == "answer", options.text == "extra" and kept_text
        outlined = getattr(options, "shape", "box") == "polygon"
        question, text_field = options.question, f"{name}:text"
        taken: dict[str, int] = {}
        annotations: list[Annotation] = []
        unsaid = unsure = outlines = 0
        number = 0
        for sheet, (across, down) in sheets:
            page = sheet.number
            report.ledger.annotations.read += len(sheet.pieces)
            for piece in sheet.pieces:
                number += 1
                shape = self._shape(piece, across, down, outlined=outlined)
                if shape is None:
                    continue
                outlines += not outlined and len(piece.outline) > 0 and not _is_box(piece.outline)
                asked: tuple[Classification, ...] = ()
                extra: dict[str, Any] = {}
                if piece.text:
                    if as_answer:
                        asked = (Classification(question, FreeText(piece.text)),)
                    elif as_extra:
                        extra[text_field] = piece.text
                    else:
                        unsaid += 1
                if grouped and piece.group is not None:
                    extra[GROUP] = piece.group
                sure = piece.confidence
                if sure is not None and not 0 <= sure <= 1:
                    sure = None
                    unsure += 1
                id = self._id(piece, number, taken)
                category = named or piece.label or level
                annotations.append(
                    Annotation(id, category, OnPage(page, shape), asked, sure, extra)
                )
        for field, count in (
            (text_field, unsaid),
            (f"{name}:confidence", unsure),
            (f"{name}:outline", outlines),
        ):
            if count:
                report.field(field, count)
        return tuple(annotations)

    def _id(self, piece: Piece, number: int, taken: dict[str, int]) -> str:
        """The source's own id, told apart where it has been used in this document."""
        id = piece.id or str(number)
        count = taken[id] = taken.get(id, 0) + 1
        if count == 1:
            return id
        renamed = f"{id}~{count}"
        while renamed in taken:
            renamed += "~"
        taken[renamed] = 1
        if piece.id is not None:
            values = {"value": id, "renamed": renamed}
            self._report.add(codes.ANNOTATION_ID_DUPLICATE, self._where(piece), **values)
        return renamed

    def _shape(
        self, piece: Piece, across: float, down: float, *, outlined: bool
    ) -> Box | Polygon | None:
        """In points; None for what was rejected."""
        if piece.fault is not None:
            expected, found = piece.fault
            self._reject(piece, codes.RECORD_MALFORMED, expected=expected, found=found)
            return None
        outline, box = piece.outline, piece.box
        if outline and (box is None or outlined):
            if not all(map(math.isfinite, outline)):
                self._reject(piece, codes.NUMBER_NOT_FINITE, found=list(outline))
                return None
            xs, ys = outline[::2], outline[1::2]
            if outlined and not _is_box(outline):
                pairs = zip(xs, ys, strict=True)
                ring = tuple(n for x, y in pairs for n in (x * across, y * down))
                return Polygon(((ring,),))
            box = min(xs), min(ys), max(xs), max(ys)
        assert box is not None
        x0, y0, x1, y1 = box
        if not math.isfinite(x0 + y0 + x1 + y1):
            self._reject(piece, codes.NUMBER_NOT_FINITE, found=list(box))
            return None
        if x1 < x0 or y1 < y0:
            self._reject(piece, codes.BOX_IMPOSSIBLE, found=f"{x1 - x0:g} × {y1 - y0:g}")
            return None
        if x1 == x0 or y1 == y0:
            self._report.add(codes.AREA_ZERO, self._where(piece), kind="box")
        return Box(x0 * across, y0 * down, x1 * across, y1 * down)

    def _reject(self, piece: Piece, code: Code, **values: object) -> None:
        self._report.reject(
            code, self._where(piece), _verbatim(piece.record), "annotations", **values
        )


def _verbatim(record: Any) -> bytes:
    """A piece as its source spells it, as nearly as it is still known."""
    if isinstance(record, bytes):
        return record
    if hasattr(record, "itertext"):  # an element of XML
        from xml.etree import ElementTree as ET

        return ET.tostring(record)
    return msgspec.json.encode(record)


_HINT = "give the folder of its PDF with --media, or -O page_size=612x792 (in points)"


def _is_box(outline: Coordinates) -> bool:
    """Whether an outline is an upright rectangle."""
    return len(outline) == 8 and len(set(outline[::2])) <= 2 and len(set(outline[1::2])) <= 2


def _document(known: dict[int, Page], pdf: tuple[PdfPage, ...] | None) -> Document:
    """All pages up to the last; one that nothing says the size of is 0 × 0."""
    if pdf is not None:
        known = {**{number: page.size for number, page in enumerate(pdf)}, **known}
    if not known or all(page.width == 0 for page in known.values()):
        return Document()
    unknown = Page(0.0, 0.0)
    return Document(tuple(known.get(number, unknown) for number in range(max(known) + 1)))
