"""Files of one page each as the pages of one document, where an option says that they are.

Nothing here is guessed: pages are counted by the numbers in the names of their files, or else by
the order of the files, for which the document's PDF must have as many pages.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from labelconv import codes
from labelconv.io import Source, files, without_suffix
from labelconv.media import Trouble
from labelconv.ocr import MOST_PAGES, Fault, Join, Parsed, Parser, Placed, Sheet
from labelconv.pages import PdfPage
from labelconv.problems import Report, Where

_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>[0-9]{1,9})", re.DOTALL)


class _Book(NamedTuple):
    """The files of a document: what it is called, and (0-based page, file) of each.

    A page of None has a name without a number, which `_parser` rejects. Pages that are `ordered`
    are counted by the order of their files.
    """

    stem: str
    files: list[tuple[int | None, Source]]
    ordered: bool


def _books(
    found: list[tuple[str, Source]],
    endings: Collection[str],
    join: Join,
    first: int,
    folder: str,
    media_of: Callable[[bytes], str | None],
) -> list[_Book]:
    """The documents that files belong to, in the order of their first files.

    `folder` is what documents are called that nothing else calls anything. `media_of` tells what
    source a file names; it is asked with `join=media` only. A file that names none is alone.
    """
    made: dict[str, _Book] = {}
    for name, file in found:
        stem = without_suffix(name, endings)
        page: int | None = None
        if join == "number":
            numbered = _NUMBERED.fullmatch(stem)
            called = stem
            if numbered is not None:
                called = numbered["before"].rstrip("-_. ").removesuffix("/")
                page = int(numbered["number"]) - first
        elif join == "folder":
            called = posixpath.dirname(stem)
        else:
            media = media_of(_bytes(file))
            called = stem if media is None else _plain(media)
        book = made.setdefault(called or folder, _Book(called or folder, [], join != "number"))
        book.files.append((len(book.files) if book.ordered else page, file))
    return list(made.values())


def _plain(media: str) -> str:
    """A path without its ending."""
    return posixpath.splitext(media.replace("\\", "/"))[0]


def _parser(book: _Book, datas: list[bytes], parse: Parser) -> Parser:
    """How the document of a book is parsed, given the bytes of its files.

    Files without exactly one page, and those whose page there is already, are rejected alone; the
    other pages keep their numbers.
    """

    def joined(_: bytes, level: str, report: Report) -> Parsed:
        sheets: dict[int, Sheet] = {}
        media: dict[str | None, None] = {}
        faults: list[tuple[Fault, str, bytes]] = []
        for (page, file), each in zip(book.files, datas, strict=True):
            try:
                sheet, named = _page(each, page, sheets, parse, level, report)
            except Fault as wrong:
                faults.append((wrong, file.name, each))
                continue
            sheet.path = file.name
            sheets[sheet.number] = sheet
            media[named] = None
        if not sheets:
            raise faults[0][0]
        for fault, path, each in faults:
            report.ledger.annotations.read += 1
            line, column, pointer = fault.place
            values = {"expected": fault.expected, "found": fault.found}
            place = Where(path, line, column, pointer)
            report.reject(codes.RECORD_MALFORMED, place, each, "annotations", **values)
        source = next(iter(media)) if len(media) == 1 else None
        ordered = [sheets[number] for number in sorted(sheets)]
        return Parsed(ordered, source, pages=len(book.files) if book.ordered else None)

    return joined


def _page(
    data: bytes,
    page: int | None,
    known: Collection[int],
    parse: Parser,
    level: str,
    report: Report,
) -> tuple[Sheet, str | None]:
    """The page of a file, and the source that it names. Raises `Fault`."""
    if page is None:
        raise Fault("a number at the end of the file's name, as join=number asks", "none")
    if not 0 <= page < MOST_PAGES:
        raise Fault(f"a page from 1 to {MOST_PAGES}", str(page + 1))
    if page in known:
        raise Fault("one file for each page", f"another one for page {page + 1}")
    own = Report()
    try:
        parsed = parse(data, level, own)
    except RecursionError:
        raise Fault("fewer levels", "very many") from None
    if len(parsed.sheets) != 1:
        raise Fault("one page in a file, to join files by", f"{len(parsed.sheets)} pages")
    for field, count in own.fields.items():
        report.field(field, count)
    (sheet,) = parsed.sheets
    sheet.number = page
    for piece in sheet.pieces:  # ids are those of one file
        piece.id = None if piece.id is None else f"{page + 1}/{piece.id}"
        piece.group = None if piece.group is None else f"{page + 1}/{piece.group}"
    return sheet, parsed.media


def _media_of(parse: Parser, level: str) -> Callable[[bytes], str | None]:
    """What source a file names; None for a file that cannot be read, which is rejected later."""

    def find(data: bytes) -> str | None:
        try:
            return parse(data, level, Report()).media
        except (Fault, RecursionError):
            return None

    return find


class Unread(NamedTuple):
    """A document to be read: where its media are looked for, its bytes, and how it is parsed.

    `title` is the name of its file; `path` is the file's, for places. `beside` are the paths of
    pictures in the file's own folder.
    """

    title: str
    path: str
    at: Placed
    beside: tuple[str, ...]
    data: bytes
    parse: Parser


def documents(
    source: Source,
    endings: Collection[str],
    parse: Parser,
    placed: Callable[[str], Placed],
    options: Any,
) -> Iterator[Unread]:
    """The documents of a source: its files, or books of them (`options.join`)."""
    found = files(source, endings)
    join: Join = getattr(options, "join", "none")
    if join == "none":
        for title, file in found:
            at = placed(without_suffix(title, endings))
            beside = placed(without_suffix(file.name, endings)).pictures
            yield Unread(title, file.name, at, beside, _bytes(file), parse)
        return
    name = posixpath.basename(source.name.replace("\\", "/").rstrip("/")) or "document"
    find = _media_of(parse, options.level)
    for book in _books(found, endings, join, options.first_page, name, find):
        datas = [_bytes(file) for _, file in book.files]
        path = book.files[0][1].name
        how = _parser(book, datas, parse)
        yield Unread(book.stem, path, Placed(book.stem), (), b"".join(datas), how)


def unbound(count: int | None, pdf: tuple[PdfPage, ...] | None, stem: str) -> Trouble | None:
    """Why files in their order are not the pages of a PDF; None where they are, or need not be.

    `count` is how many files there are (`Parsed.pages`), `stem` what the document is called.
    """
    if count is None or (pdf is not None and len(pdf) == count):
        return None
    if pdf is None:
        hint = "give the folder of its PDF with --media; pages joined by their order need it"
        return codes.MEDIA_MISSING, {"name": stem, "hint": hint}
    expected = f"{len(pdf)} files, as the PDF has pages"
    return codes.RECORD_MALFORMED, {"expected": expected, "found": str(count)}


def _bytes(file: Source) -> bytes:
    with file.open() as opened:
        return opened.read()
