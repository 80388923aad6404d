"""What one pass over the samples counts, and tells at its end; and what is said about a picture."""

from __future__ import annotations

from typing import Any

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.voc.elements import as_value, is_name, text_of
from labelconv.formats.voc.objects import File, Objects
from labelconv.formats.voc.origin import Origin
from labelconv.formats.voc.quick import count_flags
from labelconv.formats.voc.shapes import number
from labelconv.model import Extra
from labelconv.problems import Where


class Pass:
    """One iteration over the samples: what it counts, and tells at its end."""

    def __init__(self, reading: Reading, objects: Objects) -> None:
        self.reading = reading
        self.objects = objects
        wanted = reading.wanted.extra
        self.keeps = wanted is None or "voc" in wanted
        self._needs_fields = self.keeps or reading.keys.needs_fields
        self.unsized = 0
        self.unsized_at: str | None = None
        self._tags: dict[tuple[str, ...], int] = {}

    def head(self, file: File) -> tuple[float | None, float | None, dict[str, Any]]:
        """Width and height, and what else is said about the whole picture."""
        width = height = None
        fields: dict[str, Any] = {}
        tags: list[str] = []
        needed = self._needs_fields
        for element in file.root:
            tag = element.tag
            if tag in ("object", "filename"):
                continue
            if tag == "size":
                for child in element:
                    if child.tag == "width":
                        width = _length(child.text)
                    elif child.tag == "height":
                        height = _length(child.text)
                    elif needed:
                        fields[child.tag] = text_of(child)
                    else:
                        tags.append(child.tag)
                continue
            if needed:
                fields[tag] = as_value(element)
            else:
                tags.append(tag)
        for tag, value in file.root.attrib.items():
            if needed and is_name(tag):
                fields[f"@{tag}"] = value
            else:
                tags.append(f"@{tag}")
        if tags:
            form = tuple(tags)
            self._tags[form] = self._tags.get(form, 0) + 1
        return width, height, fields

    def kept(self, fields: dict[str, Any]) -> Extra:
        if self.keeps:
            return {f"voc:{name}": value for name, value in fields.items()}
        if fields:
            form = tuple(fields)
            self._tags[form] = self._tags.get(form, 0) + 1
        return {}

    def tell(self, name: str, origin: Origin) -> None:
        """What is said once for all samples."""
        report = self.reading.report
        for tags, count in self._tags.items():
            for tag in tags:
                report.field(f"voc:{tag}", count)
        for flag, count in count_flags(self.objects.flags).items():
            report.field(f"voc:{flag}", count)
        if self.unsized:
            report.add(codes.SIZE_UNKNOWN, Where(self.unsized_at), count=self.unsized)
        if self.objects.uncounted and origin.words is not None:
            what = "pixels of boxes are read as counted from 1 (origin=one)"
            evidence = (
                f"yet {self.objects.uncounted} boxes begin before pixel 1, the first at "
                f"{self.objects.uncounted_at}; `-O origin=zero` reads them as edges"
            )
            report.add(codes.CONVENTION_GUESSED, Where(name), what=what, evidence=evidence)


def _length(text: str | None) -> float | None:
    """A width or height; None for 0, for what is no number, and where it is missing."""
    value = number((text or "").strip())
    return value if value is not None and value > 0 else None
