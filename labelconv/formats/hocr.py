"""hOCR: recognised text in HTML, as Tesseract, OCRopus and kraken write it.

By the hOCR specification 1.2 (kba.github.io/hocr-spec): classes say what an element is, `title` its
box in pixels and its confidence in percent. XHTML is read as XML, other HTML in one pass.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from labelconv.format import Evidence, Format, Holds, NoOptions
from labelconv.io import UTF8_MARK, Peek
from labelconv.model import Box
from labelconv.ocr import Fault, JoinedOcrOptions, Parsed, Piece, Sheet, held, joined, reader
from labelconv.problems import Report
from labelconv.sniffing import folder_evidence

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ENDINGS = (".hocr", ".html", ".htm", ".xhtml")
_WORDS = frozenset(("ocrx_word", "ocr_word"))
_LINES = frozenset(("ocr_line", "ocrx_line", "ocr_header", "ocr_footer", "ocr_caption"))
_FLOAT_LINE = "ocr_textfloat"
_BLOCKS = frozenset(
    ("ocr_carea", "ocrx_block", "ocr_photo", "ocr_image", "ocr_table", "ocr_separator")
)
_PLAIN = frozenset(("ocr_carea", "ocrx_block", "ocr_par", "ocr_line", "ocrx_line", *_WORDS))
#: What is read of a page's properties.
_OF_PAGES = frozenset(("bbox", "scan_res", "image", "ppageno"))
#: What `title` is made of. Nothing here is tried twice at one place, so that it stays fast.
_PART = re.compile(r""""[^"]*"|'[^']*'|;|[^;"']+|["']""")
_CHARSET = re.compile(rb"""charset\s*=\s*["']?([\w-]+)""", re.IGNORECASE)
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_NAME = re.compile(r"[a-zA-Z][^\s/>]*")
_ATTRIBUTE = re.compile(r"""([^\s/>=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>]+))?""")
_BLANKS = re.compile(r"[\s/]*")
_VOID = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"))


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return held(Box)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    root = _tree(data, report)
    pages = [each for each in root.iter() if "ocr_page" in _classes(each)]
    if not pages:
        raise Fault("an element of the class ocr_page", "none")
    sheets = []
    media = None
    for number, page in enumerate(pages):
        said = _properties(page)
        bounds = _numbers(said, "bbox", report)
        resolution = _numbers(said, "scan_res", report)
        if said.get("ppageno", str(number)) != str(number):
            report.field("hocr:ppageno")  # pages are counted as they come
        for name in said.keys() - _OF_PAGES:
            report.field(f"hocr:{name}")
        sheet = Sheet(number, dpi=resolution[0] if resolution and resolution[0] > 0 else None)
        if len(bounds) == 4 and bounds[2] > 0 and bounds[3] > 0:
            sheet.width, sheet.height = bounds[2], bounds[3]
        media = media or said.get("image", "").strip().strip("\"'") or None
        sheet.pieces = _pieces(page, level, report)
        sheets.append(sheet)
    return Parsed(sheets, media)


def _pieces(page: Element, level: str, report: Report) -> list[Piece]:
    wanted = {"word": _WORDS, "line": _LINES, "block": _BLOCKS}[level]
    if level == "block" and not any(_classes(each) & _BLOCKS for each in page.iter()):
        wanted = frozenset({"ocr_par"})
    pieces: list[Piece] = []
    lines = 0

    def visit(element: Element, group: str) -> None:
        nonlocal lines
        for each in element:
            names = _classes(each)
            if "ocr_page" in names:
                continue  # a page of its own
            inside = group
            is_line = bool(names & _LINES or _FLOAT_LINE in names)
            if is_line or (level == "line" and names & _BLOCKS):
                lines += 1
                inside = each.get("id") or f"line {lines}"
            found = names & wanted
            if found or (level == "line" and is_line):
                pieces.append(_piece(each, (found or {_FLOAT_LINE}), level, group, report))
            if not found or level != "word":
                before = len(pieces)
                visit(each, inside)
                if is_line and level == "word" and len(pieces) == before and _text(each, level):
                    report.field("hocr:lines without words")

    visit(page, "")
    return pieces


def _piece(
    element: Element, names: frozenset[str] | set[str], level: str, group: str, report: Report
) -> Piece:
    said = _properties(element)
    id = element.get("id")
    pointer = f"//{element.tag}" + (f"[@id='{id}']" if id else "")
    piece = Piece(
        _text(element, level), id=id, group=group or None, pointer=pointer, record=element
    )
    box = _numbers(said, "bbox", None)
    if len(box) == 4:
        piece.box = box[0], box[1], box[2], box[3]
    else:
        piece.fault = "bbox with four numbers in title", repr(element.get("title") or "")
    sure = _numbers(said, "x_wconf", report)
    if sure:
        piece.confidence = sure[0] / 100
    special = sorted(names - _PLAIN)
    if special:
        piece.label = special[0].partition("_")[2]
    for name in special[1:]:
        report.field(f"hocr:{name}")
    for name in said:
        if name not in ("bbox", "x_wconf"):
            report.field(f"hocr:{name}")
    return piece


def _text(element: Element, level: str) -> str:
    if level == "word":
        return " ".join("".join(element.itertext()).split())
    words: list[tuple[str, str]] = []
    line = 0

    def visit(inside: Element) -> None:
        nonlocal line
        for each in inside:
            names = _classes(each)
            line += bool(names & _LINES or _FLOAT_LINE in names)
            if names & _WORDS:
                words.append((str(line), _text(each, "word")))
            else:
                visit(each)

    visit(element)
    return joined(words) if words else " ".join("".join(element.itertext()).split())


def _classes(element: Element) -> set[str]:
    return set((element.get("class") or "").split())


def _properties(element: Element) -> dict[str, str]:
    """`bbox 1 2 3 4; image "a;b.png"` by name; semicolons in quotes part nothing."""
    found: dict[str, str] = {}
    told = ""
    for part in (*_PART.findall(element.get("title") or ""), ";"):
        if part != ";":
            told += part
            continue
        name, _, value = told.strip().partition(" ")
        if name:
            found[name] = value
        told = ""
    return found


def _numbers(said: dict[str, str], name: str, report: Report | None) -> list[float]:
    """The numbers of a property; none where it is not there, or broken, which is counted."""
    try:
        return [float(each) for each in said.get(name, "").split()]
    except ValueError:
        if report is not None:
            report.field(f"hocr:{name}")
        return []


# ------------------------------------------------------------------------------------ HTML


def _tree(data: bytes, report: Report) -> Element:
    """The root element. Raises `Fault`; entities of its own are refused before they are read."""
    from labelconv.safexml import XmlFault, parse

    declared = _DOCTYPE.search(data)
    hostile = data.find(b"<!ENTITY")
    if declared is not None and b"[" in data[declared.start() :].split(b">", 1)[0]:
        hostile = declared.start()
    if hostile >= 0:
        line = data.count(b"\n", 0, hostile) + 1
        raise Fault("hOCR", "a document type that declares something of its own", line)
    try:
        root = parse(data)
    except XmlFault:
        return _loose(data, report)
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    return root


def _loose(data: bytes, report: Report) -> Element:
    plain = data.removeprefix(UTF8_MARK)
    declared = _CHARSET.search(plain[:2_048])
    encodings = ["utf-8"] if declared is None else ["utf-8", declared[1].decode("ascii", "replace")]
    for encoding in encodings:
        try:
            text = plain.decode(encoding)
            break
        except (UnicodeDecodeError, LookupError):
            continue
    else:
        raise Fault("hOCR in UTF-8 or in the charset that it names", "other bytes")
    builder = _Builder()
    behind = _feed(text, builder)
    if behind:
        report.field("hocr:characters behind what is never closed", behind)
    builder.flush()
    return builder.root


def _feed(text: str, builder: _Builder) -> int:
    """The tags and texts of HTML, in one pass, whatever is in it.

    A tag or comment that is never closed is the end; the result says how many characters it and
    all behind it have.
    `html.parser` takes the square of the time for what is never closed; this does not.
    """
    at = 0
    while at < len(text):
        start = text.find("<", at)
        if start < 0:
            builder.text(html.unescape(text[at:]))
            return 0
        builder.text(html.unescape(text[at:start]))
        name = _NAME.match(text, start + 1)
        if name is not None:
            at = _start_tag(text, name, builder)
            if builder.innermost in ("script", "style"):
                at = text.find("</", at)
        elif text.startswith("</", start):
            end = text.find(">", start)
            if end >= 0:
                builder.end(text[start + 2 : end].strip().lower())
            at = end + 1 if end >= 0 else -1
        elif text.startswith(("<!", "<?"), start):
            closed = "-->" if text.startswith("<!--", start) else ">"
            end = text.find(closed, start)
            at = end + len(closed) if end >= 0 else -1
        else:
            builder.text("<")
            at = start + 1
        if at < 0:
            return len(text) - start
    return 0


def _start_tag(text: str, name: re.Match[str], builder: _Builder) -> int:
    """The element that begins here; where its tag ends, or -1 for a tag without an end."""
    at = name.end()
    attributes: dict[str, str] = {}
    while True:
        blanks = _BLANKS.match(text, at)
        assert blanks is not None  # for mypy; it may be empty
        at = blanks.end()
        if at >= len(text):
            return -1
        if text[at] == ">":
            builder.start(name[0].lower(), attributes)
            return at + 1
        found = _ATTRIBUTE.match(text, at)
        if found is None:  # at an = without a name
            at += 1
            continue
        value = found[2] or ""
        if value[:1] in ('"', "'") and len(value) > 1 and value[-1] == value[0]:
            value = value[1:-1]
        attributes.setdefault(found[1].lower(), html.unescape(value))
        at = found.end()


class _Builder:
    """HTML as elements; what is not closed ends with what it stands in."""

    def __init__(self) -> None:
        from xml.etree import ElementTree as ET

        self._element = ET.Element
        self.root: Element = ET.Element("document")
        self._open = [self.root]
        self._texts: list[str] = []

    @property
    def innermost(self) -> str:
        return self._open[-1].tag

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.flush()
        element = self._element(tag, attributes)
        self._open[-1].append(element)
        # Deeper than any page is; what follows stays flat, so that nothing recurses for ever.
        if tag not in _VOID and len(self._open) < 200:
            self._open.append(element)

    def end(self, tag: str) -> None:
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].tag == tag:
                self.flush()
                del self._open[depth:]
                return

    def text(self, text: str) -> None:
        self._texts.append(text)

    def flush(self) -> None:
        """Put the texts since the last tag where they stand."""
        text = "".join(self._texts)
        self._texts.clear()
        inside = self._open[-1]
        if not len(inside):
            inside.text = (inside.text or "") + text
        elif text:
            inside[-1].tail = (inside[-1].tail or "") + text


def sniff(peek: Peek) -> Evidence:
    """By the class of a page; a folder by its names."""
    if peek.is_folder:
        return folder_evidence(peek, (".hocr",))
    if b"ocr_page" in peek.head and b"<" in peek.text[:1]:
        return Evidence(3, "an element of the class ocr_page")
    return Evidence(0, "no element of the class ocr_page")


FORMAT = Format(
    name="hocr",
    about="hOCR: recognised text in HTML",
    url="https://kba.github.io/hocr-spec/1.2/",
    holds=holds,
    read=reader("hocr", _ENDINGS, _parse),
    reader_options=JoinedOcrOptions,
    sniff=sniff,
)
