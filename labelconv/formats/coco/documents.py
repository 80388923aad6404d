"""COCO of document pages: boxes in points on pages, as DocLayNet and PubLayNet need it.

DocLayNet's pictures are 1025 × 1025, whatever the page; `original_width` and `original_height` are
the page's points, said in the image record or in the JSON file of the page beside it (`--media`).
`page_no` counts from 1 in `doc_name`; `precedence` above 0 marks what another person annotated
again. PubLayNet's pictures are named `PMC…_00006.jpg` by document and page, from 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from labelconv import codes
from labelconv.errors import OptionError
from labelconv.format import Reading, Wanted
from labelconv.formats.coco.options import CocoReaderOptions
from labelconv.geometry import map_xy
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Dataset,
    Document,
    Image,
    OnPage,
    Page,
    Polygon,
    Sample,
    Samples,
)
from labelconv.ocr import MOST_PAGES, size
from labelconv.pages import PdfPage, read_pdf, to_points
from labelconv.problems import Where

_PAGE_IN_NAME = re.compile(r"(.+)_(\d{5})$")
#: Fields of images and annotations that are made use of here.
_USED = ("doc_name", "page_no", "precedence", "original_width", "original_height", "id")
_USED_TOO = ("coco_width", "coco_height", "file_name")
_MADE_USE_OF = frozenset(f"coco:{name}" for name in (*_USED, *_USED_TOO))


def read(source: Source, options: CocoReaderOptions, reading: Reading) -> Dataset:
    """Documents instead of pictures: one for each page, or one for each document (`whole`).

    Whole documents are held until the end of the file, since their pages may stand anywhere in it.
    """
    from labelconv.formats.coco.reader import read as read_pictures

    if options.shape == "mask":
        raise OptionError("boxes or polygons expected on the pages of documents, masks asked for")
    shape = "box" if options.shape == "auto" else options.shape
    plain = msgspec.structs.replace(options, documents="none", shape=shape)
    every = Wanted(extra=frozenset({"coco"}))
    # Keys are those of documents, so pictures keep their own names until then.
    inner = msgspec.structs.replace(reading, keys=Keys(), wanted=every, crew=None)
    pictures = read_pictures(source, plain, inner)

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        whole = options.documents == "whole"
        pages = _Pages(reading, source.name, whole=whole)
        if not whole:
            for picture in pictures:
                yield from pages.document([pages.page(picture)])
            return
        by_document: dict[str, list[_PageOf]] = {}
        for picture in pictures:
            page = pages.page(picture)
            by_document.setdefault(page.document, []).append(page)
        for held in by_document.values():
            reading.report.ledger.samples.read -= len(held) - 1  # a page is no sample
            yield from pages.document(held)

    return Samples(samples, lambda: pictures.ontology, pictures.info)


class _PageOf(msgspec.Struct):
    """A page of a document: its 0-based number, its size, what is on it."""

    document: str
    number: int
    size: Page
    annotations: list[Annotation]
    classifications: tuple[Classification, ...]
    extra: dict[str, Any]
    name: str


class _Pages:
    """Pages of one iteration."""

    def __init__(self, reading: Reading, path: str, *, whole: bool) -> None:
        self._reading = reading
        self._whole = whole
        self._report = reading.report
        self._path = path
        wanted = reading.wanted.extra
        self._keep_extra = wanted is None or "coco" in wanted
        self._unscaled: set[str] = set()
        self._pdfs: dict[str, tuple[PdfPage, ...] | None] = {}

    def page(self, picture: Sample) -> _PageOf:
        """A picture as a page."""
        said = {name.removeprefix("coco:"): value for name, value in picture.extra.items()}
        name = picture.key
        stem = name.rpartition(".")[0] or name
        beside = self._beside(stem)
        named = _PAGE_IN_NAME.fullmatch(stem)
        document = said.get("doc_name") or beside.get("original_filename")
        number = said.get("page_no", beside.get("page_no"))
        if isinstance(number, int) and 1 <= number <= MOST_PAGES:
            number -= 1
        elif named is not None:
            document, number = document or named[1], int(named[2])
        else:
            number = 0
        if not isinstance(document, str) or not document:
            document = stem
        media = picture.media
        assert isinstance(media, Image)
        pixels = _pixels(said, beside, media)
        place = Where(self._path, sample=name)
        shown = self._size({**beside, **said}, stem, document, number, place)
        if shown is None:
            shown = Page(*pixels) if pixels is not None else Page(0.0, 0.0)
            self._tell_unscaled(
                place, "no original_width and original_height, and no PDF (--media)"
            )
            pixels = None
        elif pixels is None:
            self._tell_unscaled(place, "no width and height of the picture")
        inside = number if self._whole else 0  # a page of its own is its document's first
        annotations = self._annotations(picture, shown, pixels, inside, said)
        return _PageOf(
            document, inside, shown, annotations, picture.classifications, picture.extra, name
        )

    def document(self, pages: list[_PageOf]) -> Iterator[Sample]:
        """The sample of a document, unless its key is refused."""
        keys, report = self._reading.keys, self._report
        first = pages[0]
        name = first.document if self._whole else first.name
        fields = {key.removeprefix("coco:"): value for key, value in first.extra.items()}
        key, problem = keys.key(name, name, fields)
        annotations = _told_apart(pages)
        if problem is not None:
            record = msgspec.json.encode({"name": name, "pages": [page.name for page in pages]})
            report.reject(problem[0], Where(self._path), record, "samples", **problem[1])
            report.ledger.annotations.rejected += len(annotations)
            asked_here = sum(len(page.classifications) for page in pages)
            report.ledger.classifications.rejected += asked_here
            return
        assert key is not None
        sizes = {page.number: page.size for page in pages}
        drawn = [page.number for page in pages if page.annotations]
        if len(set(drawn)) < len(drawn):
            what = "pictures that say the same number are on one page"
            evidence = f"{len(drawn)} pictures of {name} are {len(set(drawn))} pages"
            place = Where(self._path, sample=key)
            report.add(codes.CONVENTION_GUESSED, place, what=what, evidence=evidence)
        unknown = Page(0.0, 0.0)
        media = Document(tuple(sizes.get(n, unknown) for n in range(max(sizes) + 1)))
        extra: dict[str, Any] = {}
        for page in pages:
            for field, value in page.extra.items():
                if self._keep_extra and len(pages) == 1:
                    extra[field] = value
                elif field not in _MADE_USE_OF:
                    report.field(f"{field} (of images)")
        yield Sample(key, media, tuple(annotations), uri=name, key_is_id=keys.are_ids, extra=extra)

    # ------------------------------------------------------------------ sizes

    def _beside(self, stem: str) -> dict[str, Any]:
        """What DocLayNet says of a page in a JSON file of its own."""
        if self._reading.media.folder is None:
            return {}
        found = self._reading.media.find(f"{stem}.json")
        if not isinstance(found, Path):
            return {}
        try:
            said = json.loads(found.read_bytes())
        except (OSError, ValueError, RecursionError):
            values = {"file": str(found), "reason": "JSON expected"}
            self._report.add(codes.MEDIA_UNREADABLE, Where(self._path), **values)
            return {}
        about = said.get("metadata") if isinstance(said, dict) else None
        return about if isinstance(about, dict) else {}

    def _size(
        self, said: dict[str, Any], stem: str, document: str, number: int, place: Where
    ) -> Page | None:
        """The page in points: as the record says, or its PDF, or the document's."""
        width, height = size(said.get("original_width")), size(said.get("original_height"))
        if width is not None and height is not None:
            return Page(width, height)
        if self._reading.media.folder is None:
            return None
        pdf = document if document.lower().endswith(".pdf") else f"{document}.pdf"
        for name, at in ((f"{stem}.pdf", 0), (pdf, number)):
            pages = self._pdf(name, place)
            if pages is not None and at < len(pages):
                return pages[at].size
        return None

    def _pdf(self, name: str, place: Where) -> tuple[PdfPage, ...] | None:
        if name not in self._pdfs:
            found: Any = self._reading.media.find(name)
            pages = None
            if isinstance(found, Path):
                found = read_pdf(found)
                if isinstance(found[0], PdfPage):
                    pages = found
            if pages is None and found[0] is not codes.MEDIA_MISSING:
                self._report.add(found[0], place, **found[1])
            self._pdfs[name] = pages
        return self._pdfs[name]

    def _tell_unscaled(self, place: Where, evidence: str) -> None:
        """Tell, once for each kind of evidence, that pixels are not scaled to points."""
        if evidence not in self._unscaled:
            self._unscaled.add(evidence)
            what = "pixels taken as points"
            self._report.add(codes.CONVENTION_GUESSED, place, what=what, evidence=evidence)

    # ------------------------------------------------------------------ annotations

    def _annotations(
        self,
        picture: Sample,
        page: Page,
        pixels: tuple[float, float] | None,
        number: int,
        said: dict[str, Any],
    ) -> list[Annotation]:
        change = to_points("pixels", page, pixels=pixels) if pixels is not None else None
        again = said.get("precedence", 0)
        kept = []
        for annotation in picture.annotations:
            precedence = annotation.extra.get("coco:precedence", again)
            if isinstance(precedence, (int, float)) and precedence > 0:
                self._report.ledger.annotations.skipped += 1
                self._report.field("coco:precedence above 0 (annotated again)")
                continue
            value: Any = annotation.value
            if change is not None:
                value = map_xy(value, change)
            place = Where(self._path, sample=picture.key, annotation=annotation.id)
            value = self._within(value, page, place)
            extra = annotation.extra
            if not self._keep_extra:
                for field in extra.keys() - _MADE_USE_OF:
                    self._report.field(field)
                extra = {}
            kept.append(
                msgspec.structs.replace(annotation, value=OnPage(number, value), extra=extra)
            )
        return kept

    def _within(self, value: Box | Polygon, page: Page, place: Where) -> Box | Polygon:
        """A box cut at the page's border, where it reaches past it by a hundredth at most."""
        if not isinstance(value, Box) or not (page.width and page.height):
            return value
        drift = max(-value.x0, -value.y0, value.x1 - page.width, value.y1 - page.height)
        if drift <= 1e-9 * max(page.width, page.height):
            return value
        if drift > 0.01 * max(page.width, page.height):
            self._report.add(codes.OUTSIDE_MEDIA, place, kind="box", drift=drift)
            return value
        self._report.add(codes.SHAPE_CLIPPED, place, kind="box", drift=drift)
        return Box(
            max(value.x0, 0.0),
            max(value.y0, 0.0),
            min(value.x1, page.width),
            min(value.y1, page.height),
        )


def _pixels(
    said: dict[str, Any], beside: dict[str, Any], media: Image
) -> tuple[float, float] | None:
    """The size of the picture that the boxes are on."""
    for source in (said, beside):
        width, height = size(source.get("coco_width")), size(source.get("coco_height"))
        if width is not None and height is not None:
            return width, height
    if media.width and media.height:
        return media.width, media.height
    return None


def _told_apart(pages: list[_PageOf]) -> list[Annotation]:
    """The annotations of all pages, by page, with ids that are unique among them."""
    taken: set[str] = set()
    out = []
    for page in sorted(pages, key=lambda each: each.number):
        for annotation in page.annotations:
            id = annotation.id
            while id in taken:
                id += f"~{page.number + 1}"
            taken.add(id)
            if id != annotation.id:
                annotation = msgspec.structs.replace(annotation, id=id)
            out.append(annotation)
    return out
