"""What a VOC file looks like, and what only looks like one."""

from __future__ import annotations

import re
from pathlib import Path

from labelconv.format import Evidence
from labelconv.formats.voc.files import SEGMENTATION, first_files
from labelconv.io import Peek, Source

_ROOT = re.compile(rb"<annotation[\s>]")
_OURS = re.compile(rb"<(?:size|filename|object)[\s/>]")
#: What LabelMe's XML has and VOC never has.
_LABELME = re.compile(rb"<(?:pt|deleted|username|sourceImage|imagesize)[\s/>]")
_CERTAIN = 3
LABELME = "LabelMe XML (polygons of <pt>, <deleted>), which has the same root element"


def evidence(peek: Peek) -> Evidence:
    if not peek.is_folder:
        return _of_file(peek.text, "")
    seen = [
        _of_file(Source(file).peek().text, f" in {file.name}")
        for file in first_files(Path(peek.name))
    ]
    if seen:  # a file without objects says little; those that say most decide
        refusal = next((each for each in seen if LABELME in each.words), None)
        best = max(seen, key=lambda each: each.certainty)
        return refusal if refusal is not None and best.certainty < _CERTAIN else best
    if any(name.rstrip("/") in SEGMENTATION for name in peek.entries):
        return Evidence(2, "a folder with SegmentationClass or SegmentationObject")
    if "Annotations/" in peek.entries and "ImageSets/" in peek.entries:
        return Evidence(2, "a folder with Annotations and ImageSets")
    return Evidence(0, "no XML files in the folder")


def _of_file(text: bytes, place: str) -> Evidence:
    if not _ROOT.search(text[:4_096]):
        found = "not an XML file" if not text.startswith(b"<") else "XML"
        return Evidence(0, f"{found}{place} without an annotation element")
    if is_labelme(text):
        return Evidence(0, f"{LABELME}{place}")
    if b"<bndbox" in text or b"<robndbox" in text:
        return Evidence(_CERTAIN, f"an annotation element with boxes{place}")
    if _OURS.search(text):
        return Evidence(2, f"an annotation element with a size or a file name{place}")
    return Evidence(1, f"an annotation element{place}")


def is_labelme(text: bytes) -> bool:
    """Whether a file with the root `annotation` is LabelMe's."""
    return b"<bndbox" not in text and _LABELME.search(text) is not None
