"""Pieces of recognised text become annotations on pages, in points: once, for all readers of it.

Pages have the size that their PDF says, found by `--media`; else the one of the record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from labelconv import codes
from labelconv.errors import OptionError
from labelconv.format import Reading
from labelconv.io import Source
from labelconv.media import Size
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Dataset,
    FreeText,
    OnPage,
    Page,
    Polygon,
    Sample,
    Samples,
)
from labelconv.ocr import Fault, Parsed, Parser, Piece, Placed, Sheet
from labelconv.ocr_joined import Unread, documents, unbound
from labelconv.ocr_parts import (
    document,
    is_box,
    last_page,
    page_size,
    picture,
    picture_size,
    related,
    verbatim,
)
from labelconv.pages import PdfPage, read_pdf, scales
from labelconv.problems import Code, Where
from labelconv.textlayers import GROUP

#: How far sizes of a page may be apart, relatively, and still be the same, rounded.
_SAME = 0.005


def read(
    source: Source,
    options: Any,
    reading: Reading,
    *,
    name: str,
    endings: Collection[str],
    parse: Parser,
    placed: Callable[[str], Placed] = Placed,
) -> Dataset:
    """A document for each file. `options` are `OcrOptions` or a record like it, of blocks only.

    `placed` says what the path of a file, without its ending, means.
    """
    asked = page_size(options.page_size)
    dpi = getattr(options, "dpi", None)
    if dpi is not None and not dpi > 0:
        raise OptionError(f"dpi above 0 expected, {dpi:g} found")
    if _flat(options) and (dpi or asked or getattr(options, "join", "none") != "none"):
        raise OptionError("dpi, page_size and join are of documents; media=image takes none")

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        for unread in documents(source, endings, parse, placed, options):
            sample = _Run(name, options, reading, asked, unread.path).sample(unread)
            if sample is not None:
                yield sample

    return Samples(samples)


def _flat(options: Any) -> bool:
    """Whether pages are pictures, in pixels, and not documents."""
    return getattr(options, "media", "document") == "image"


class _Run:
    """One document becoming one sample."""

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
        self._flat = _flat(options)
        self._key = ""
        self._told: set[str] = set()

    def sample(self, unread: Unread) -> Sample | None:
        report, keys = self._report, self._reading.keys
        stem, data = unread.at.stem, unread.data
        report.ledger.samples.read += 1
        key, problem = keys.key(stem, stem, {})
        if problem is not None:
            report.reject(problem[0], Where(self._path), data, "samples", **problem[1])
            return None
        assert key is not None
        self._key = key
        try:
            parsed = unread.parse(data, getattr(self._options, "level", "block"), report)
            last = last_page(parsed, single=self._flat)
        except (Fault, RecursionError) as error:
            fault = error if isinstance(error, Fault) else Fault("fewer levels", "very many")
            line, column, pointer = fault.place
            place = Where(self._path, line, column, pointer, key)
            values = {"expected": fault.expected, "found": fault.found}
            report.reject(codes.RECORD_MALFORMED, place, data, "samples", **values)
            return None
        self._measure(parsed, unread.at.pictures, unread.beside)
        pdf = self._pdf(parsed.media, unread.title, stem)
        if (refused := unbound(parsed.pages, pdf, stem)) is not None:
            report.reject(refused[0], self._where(None), data, "samples", **refused[1])
            return None
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
        named: dict[str, str] | None = {} if parsed.links else None
        annotations = self._annotations([(sheet, scale) for sheet, _, scale in scaled], named)
        relations = related(parsed.links, named or {}, Where(self._path, sample=key), report)
        known = {sheet.number: page for sheet, page, _ in scaled}
        media = picture(known[last]) if self._flat else document(known, pdf)
        uri = parsed.media
        return Sample(key, media, annotations, (), relations, uri, key_is_id=keys.are_ids)

    def _where(self, piece: Piece | None) -> Where:
        if piece is None:
            return Where(self._path, sample=self._key)
        return Where(self._path, piece.line, None, piece.pointer, self._key)

    # ------------------------------------------------------------------ pages

    def _measure(self, parsed: Parsed, pictures: tuple[str, ...], beside: tuple[str, ...]) -> None:
        """Pages get the size of their picture, where it is found by the path of the labels."""
        found = picture_size(self._reading.media, pictures, beside)
        if found is None:
            return
        name, said = found
        if not isinstance(said, Size):
            self._report.add(said[0], self._where(None), **said[1])
            return
        parsed.media = parsed.media or name
        for sheet in parsed.sheets:
            sheet.width, sheet.height = float(said.width), float(said.height)

    def _pdf(self, media: str | None, title: str, stem: str) -> tuple[PdfPage, ...] | None:
        """The pages of the document's PDF, if it is among the media files and can be read."""
        if self._reading.media.folder is None or self._flat:
            return None
        names = [media or "", f"{stem}.pdf", f"{title}.pdf", stem, f"{Path(stem).stem}.pdf"]
        for name in dict.fromkeys(each for each in names if each.lower().endswith(".pdf")):
            found = self._reading.media.find(name)
            if isinstance(found, Path):
                pages = read_pdf(found)
                if not isinstance(pages[0], Code):
                    return pages
                found = pages
            if found[0] is not codes.MEDIA_MISSING:
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
        if self._flat:
            page = Page(width or 0.0, height or 0.0)
            if unit == "pixels":
                return page, (1.0, 1.0)
            return (page, scales(unit, page)) if page.width and page.height else None
        sized = width is not None and height is not None and width > 0 and height > 0
        if unit in ("fractions", "percent"):
            if page is None and sized:
                across, down = self._per_pixel(sheet)
                page = Page((width or 0.0) * across, (height or 0.0) * down)
            return None if page is None else (page, scales(unit, page))
        if unit == "pixels" and page is None:
            factor = self._per_pixel(sheet)
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

    def _per_pixel(self, sheet: Sheet) -> tuple[float, float]:
        """Points that one pixel is, by the resolution."""
        dpi = self._dpi or sheet.dpi
        if dpi is None:
            self._guess(
                "pixels taken as points",
                "no resolution is known (-O dpi=…) and no PDF (--media)",
            )
        return scales("pixels", dpi=dpi or 72.0)

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
        self, sheets: list[tuple[Sheet, tuple[float, float]]], named_pieces: dict[str, str] | None
    ) -> tuple[Annotation, ...]:
        """`named_pieces`, if given, gets the annotation's id for each id of a piece."""
        options, report, name = self._options, self._report, self._name
        level, named = getattr(options, "level", "block"), options.category
        wanted = self._reading.wanted.extra
        grouped = wanted is None or "labelbox-text-layer" in wanted
        kept = wanted is None or name in wanted
        as_answer, as_extra = options.text == "answer", options.text == "extra" and kept
        outlined, flat = getattr(options, "shape", "box") == "polygon", self._flat
        question, text_field = options.question, f"{name}:text"
        taken: dict[str, int] = {}
        annotations: list[Annotation] = []
        unsaid = unsure = outlines = 0
        number = 0
        for sheet, (across, down) in sheets:
            page = sheet.number
            self._path = sheet.path or self._path
            report.ledger.annotations.read += len(sheet.pieces)
            for piece in sheet.pieces:
                number += 1
                shape = self._shape(piece, across, down, outlined=outlined)
                if shape is None:
                    continue
                outlines += not outlined and len(piece.outline) > 0 and not is_box(piece.outline)
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
                if piece.extra and kept:
                    extra.update(piece.extra)
                elif piece.extra:
                    for field in piece.extra:
                        report.field(field)
                sure = piece.confidence
                if sure is not None and not 0 <= sure <= 1:
                    sure = None
                    unsure += 1
                id = self._id(piece, number, taken)
                if named_pieces is not None and piece.id is not None:
                    named_pieces.setdefault(piece.id, id)
                category = named or piece.label or level
                value = shape if flat else OnPage(page, shape)
                annotations.append(Annotation(id, category, value, asked, sure, extra))
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
            if outlined and not is_box(outline):
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
            code, self._where(piece), verbatim(piece.record), "annotations", **values
        )


_HINT = "give the folder of its PDF or picture with --media, or -O page_size=612x792 (in points)"
