"""Reads Pascal VOC: one XML file, a folder of them, a devkit's folder, or several of those."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from labelconv import codes
from labelconv.errors import SourceError, reason_of
from labelconv.format import Reading, Wanted
from labelconv.formats.voc.elements import text_of
from labelconv.formats.voc.files import Entry, Pictures, Root, entries_of, roots_of
from labelconv.formats.voc.objects import File, Found, Objects
from labelconv.formats.voc.options import VocReaderOptions
from labelconv.formats.voc.origin import Origin, find_origin, spread
from labelconv.formats.voc.pairing import join
from labelconv.formats.voc.quick import match
from labelconv.formats.voc.segmentation import Segment, Segmentation
from labelconv.formats.voc.sniffing import LABELME, is_labelme
from labelconv.formats.voc.tally import Pass
from labelconv.io import Source
from labelconv.keys import Keys, normal
from labelconv.media import MediaFiles, Size
from labelconv.model import (
    Dataset,
    Image,
    Ontology,
    Sample,
    Samples,
)
from labelconv.problems import Report, Where
from labelconv.safexml import XmlFault, parse
from labelconv.spelling import stem_of

#: LabelMe's files are told from VOC's by some of them; one without objects is like VOC's.
_LOOKED_AT = 20
#: Read at once: nearly all files whole.
_FILE_BYTES = 65_536


def read(source: Source, options: VocReaderOptions, reading: Reading) -> Dataset:
    """The samples of a source. Raises `SourceError` for what is not VOC at all."""
    if source.is_folder:
        roots = roots_of(source)
        whole = options.images == "all"
        entries = entries_of(roots, source.name, options.set, all=whole)
    else:
        place = Path(source.name)
        devkit = place.absolute().parent.parent if place.parent.name == "Annotations" else None
        roots = [Root(place.parent, "", devkit)]
        entries = [Entry(place.name, 0)]
    dataset = _VocFiles(source, roots, entries, options)
    dataset.refuse_labelme()

    def ontology() -> Ontology:
        """By a pass over the files; its problems are told by the pass over the samples."""
        from labelconv.usage import ontology_of

        silent = Reading(
            report=Report(), keys=Keys(), wanted=Wanted(extra=frozenset()), media=reading.media
        )
        return ontology_of(dataset.samples(silent))

    return Samples(lambda: dataset.samples(reading), ontology)


class _VocFiles:
    """The annotation files of a source, and what is found out about all of them."""

    def __init__(
        self, source: Source, roots: list[Root], entries: list[Entry], options: VocReaderOptions
    ) -> None:
        self._source = source
        self._is_folder = source.is_folder
        self._roots = roots
        self._entries = entries
        self._options = options
        self._origin: Origin | None = None
        self._pictures = [Pictures(root) for root in roots]
        self._segmentations: list[Segmentation] = []
        if options.masks == "read":
            self._segmentations = [Segmentation(root) for root in roots]
            if not any(each.found for each in self._segmentations):
                self._segmentations = []
        #: The start of each path as messages show it.
        self._shown = [self._shown_start(root) for root in roots]
        self._starts = [f"{root.annotations}/" for root in roots]

    def _shown_start(self, root: Root) -> str:
        if not self._is_folder:
            return ""
        top = self._source.name.rstrip("/")
        inside = os.path.relpath(root.annotations, self._source.name)
        return f"{top}/" if inside == "." else f"{top}/{inside}/"

    def _name(self, entry: Entry) -> str:
        return f"{self._shown[entry.root]}{entry.path}" if self._is_folder else self._source.name

    def _content(self, entry: Entry) -> bytes:
        """The bytes of an annotation file. Raises `OSError`, or `SourceError` for a stream."""
        if not self._is_folder:
            with self._source.open() as file:
                return file.read()
        handle = os.open(self._starts[entry.root] + entry.path, os.O_RDONLY)
        try:
            data = os.read(handle, _FILE_BYTES)
            if len(data) < _FILE_BYTES:
                return data
            pieces = [data]
            while data := os.read(handle, 1 << 20):
                pieces.append(data)
            return b"".join(pieces)
        finally:
            os.close(handle)

    def _content_or_nothing(self, number: int) -> bytes:
        entry = self._entries[number]
        if not entry.labelled:
            return b""
        try:
            return self._content(entry)
        except OSError:
            return b""

    def refuse_labelme(self) -> None:
        """Raise `SourceError` where files that tell their format are all LabelMe's."""
        if not self._entries:
            return
        for position in spread(len(self._entries), _LOOKED_AT):
            text = self._content_or_nothing(position)
            if is_labelme(text):
                raise SourceError(
                    f"{self._name(self._entries[position])}: a Pascal VOC file expected, {LABELME} "
                    f"found; labelconv does not read it. Export it from LabelMe's JSON, or as VOC"
                )
            if b"<bndbox" in text:
                return

    def _find_origin(self, report: Report) -> Origin:
        asked = self._options.origin
        if asked != "auto":
            return Origin(1 if asked == "one" else 0)
        if self._origin is None:
            self._origin = find_origin(
                len(self._entries),
                lambda number: self._name(self._entries[number]),
                self._content_or_nothing,
            )
        if self._origin.words is not None and any(each.labelled for each in self._entries):
            said = "counted from 1 (origin=one)" if self._origin.first else "edges (origin=zero)"
            where = Where(path=self._source.name)
            what = f"pixels of boxes are read as {said}"
            report.add(codes.CONVENTION_GUESSED, where, what=what, evidence=self._origin.words)
        return self._origin

    # ---------------------------------------------------------------- samples

    def samples(self, reading: Reading) -> Iterator[Sample]:
        reading.keys.restart()
        report = reading.report
        origin = self._find_origin(report)
        objects = Objects(self._options, reading, origin.first)
        pass_ = Pass(reading, objects)
        for entry in self._entries:
            sample = self._sample(entry, pass_)
            if sample is not None:
                yield sample
        pass_.tell(self._source.name, origin)

    def _sample(self, entry: Entry, pass_: Pass) -> Sample | None:
        report = pass_.reading.report
        report.ledger.samples.read += 1
        file: File | None = None
        if entry.labelled:
            file = self._file(entry, pass_)
            if file is None:
                return None
        root = self._roots[entry.root]
        filename = "" if file is None else text_of(file.root.find("filename"))
        width, height, head = (None, None, {}) if file is None else pass_.head(file)
        stem = stem_of(entry.path)
        if file is not None and "." not in filename:  # old versions of labelImg
            given = text_of(file.root.find("path")).replace("\\", "/").rpartition("/")[2]
            filename = given if stem_of(given) == filename else filename
        path, picture = self._path(entry, stem, filename, pass_)
        key, problem = pass_.reading.keys.key(f"{root.prefix}{path}", stem, head)
        if key is None:
            assert problem is not None  # keys give one or the other
            code, values = problem
            record = b"" if file is None else file.data
            objects = 0 if file is None else file.count()
            report.ledger.annotations.read += objects
            report.ledger.annotations.rejected += objects
            report.reject(code, Where(self._name(entry)), record, "samples", **values)
            return None
        has_masks = bool(self._segmentations) and self._segmentations[entry.root].has(stem)
        if file is None and picture is None and not has_masks:
            picture = self._pictures[entry.root].find(stem, "")
            if picture is None:
                values = {
                    "field": "the id",
                    "value": repr(stem),
                    "known": "annotation files or pictures",
                }
                record = stem.encode("utf-8", "surrogatepass")
                report.reject(
                    codes.REFERENCE_DANGLING, Where(self._source.name), record, "samples", **values
                )
                return None
        if not width or not height:
            known = self._size(entry, stem, filename or path, picture, pass_)
            width, height = known or (width, height)
        found = Found([], [], {})
        if file is not None:
            found = pass_.objects.read(file, key, width, height)
        if has_masks:
            segments = self._segments(entry, stem, (width, height), report)
            if segments and (not width or not height):
                height, width = map(float, segments[0].mask.size)
            join(segments, found, self._name(entry), pass_)
        if not width or not height:
            pass_.unsized += 1
            pass_.unsized_at = pass_.unsized_at or self._name(entry)
        return Sample(
            key,
            Image(width, height),
            tuple(found.annotations),
            relations=tuple(found.relations),
            key_is_id=pass_.reading.keys.are_ids,
            extra=pass_.kept(head),
        )

    def _file(self, entry: Entry, pass_: Pass) -> File | None:
        """The parsed file; None where it was rejected."""
        name = self._name(entry)
        data = b""
        try:
            data = self._content(entry)
            short = match(data) if pass_.objects.plain else None
            if short is not None:
                return File(name, data, short.head, short)
            root = parse(data)
        except OSError as error:
            found = reason_of(error)
            where, expected = Where(name), "a file that can be read"
        except XmlFault as fault:
            found = fault.found
            where, expected = Where(name, fault.line, fault.column), "an XML file"
        else:
            if root.tag == "annotation" and not is_labelme(data):
                return File(name, data, root)
            found = LABELME if root.tag == "annotation" else f"<{root.tag}>"
            where, expected = Where(name, pointer=f"/{root.tag}"), "a Pascal VOC <annotation>"
        pass_.reading.report.reject(
            codes.RECORD_MALFORMED, where, data, "samples", expected=expected, found=found
        )
        return None

    def _path(
        self, entry: Entry, stem: str, filename: str, pass_: Pass
    ) -> tuple[str, tuple[str, Path] | None]:
        """The picture's path that makes the key; and its file, where it was looked up.

        The XML file's own name says which picture it is about; `filename` has to agree, and then
        gives the extension. Only where it does not are the pictures looked at.
        """
        folder, slash, own = stem.rpartition("/")
        found = _agreed(filename, folder, own)
        if found is None and ("%" in filename or not filename.isascii()):
            found = _agreed(normal(filename), folder, own)
        if found is not None:
            return found, None
        last = normal(filename).rpartition("/")[2] if filename != own else own
        picture = self._pictures[entry.root].find(stem, filename)
        extension = last[len(stem_of(last)) :]
        if picture is not None:
            found = picture[0]
        elif last in ("", own):
            found = stem + _extension_of(own, pass_.reading.media)
        elif _extension_of(own, pass_.reading.media) or not _extension_of(
            last, pass_.reading.media
        ):
            found = f"{stem}{_extension_of(own, pass_.reading.media) or extension}"
        else:
            found = f"{folder}{slash}{last}"
        if last not in ("", own) and entry.labelled:
            what = f"the filename {filename!r} in a file named {own!r}"
            where = Where(self._name(entry))
            pass_.reading.report.add(codes.SPELLING_MENDED, where, found=what, result=repr(found))
        return found, picture

    def _size(
        self, entry: Entry, stem: str, name: str, picture: tuple[str, Path] | None, pass_: Pass
    ) -> tuple[float, float] | None:
        """The picture's size where the file does not say it: from a table or from its header."""
        if picture is None:
            picture = self._pictures[entry.root].find(stem, name)
        media = pass_.reading.media
        if picture is None and not media.given:
            return None
        size = media.size(name, None if picture is None else picture[1])
        if not isinstance(size, Size):
            return None
        return float(size.width), float(size.height)

    def _segments(
        self, entry: Entry, stem: str, size: tuple[float | None, float | None], report: Report
    ) -> list[Segment]:
        segments, troubles = self._segmentations[entry.root].segments(stem)
        name = self._name(entry)
        width, height = size
        if segments and width and height:
            expected = (round(height), round(width))
            if segments[0].mask.size != expected:
                values: dict[str, object] = {
                    "expected": list(expected),
                    "found": list(segments[0].mask.size),
                }
                for _ in segments:
                    troubles.append((name, codes.MASK_SIZE_MISMATCH, values))
                segments = []
        for path, code, values in troubles:
            report.ledger.annotations.read += 1
            record = f"the segmentation of {stem}".encode("utf-8", "surrogatepass")
            report.reject(code, Where(path), record, "annotations", **values)
        return segments


def _agreed(filename: str, folder: str, own: str) -> str | None:
    """The path of a picture whose file name has the stem `own`; None where it has another.

    Folders in `filename` count where the XML files are in none.
    """
    last = filename
    if "/" in filename or "\\" in filename:
        filename = filename.replace("\\", "/")
        last = filename.rpartition("/")[2]
    if last == own or stem_of(last) != own:
        return None
    if last != filename and not folder and _is_relative(filename):
        return filename
    return f"{folder}/{last}" if folder else last


def _extension_of(name: str, media: MediaFiles) -> str:
    """The extension of a picture among the media files, by its stem or name; empty without one."""
    if media.folder is None:
        return ""
    found = media.find(name)
    return found.suffix if isinstance(found, Path) else ""


def _is_relative(path: str) -> bool:
    return not path.startswith("/") and ":" not in path and ".." not in path.split("/")
