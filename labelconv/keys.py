"""Keys of samples: from a template, or from a table of source names; collisions are found here.

A reader asks for each sample once and gives what the source says about it. Names are compared
first as they are, then with `/` for `\\`, `%C3%A9` decoded, Unicode composed (NFC) and blanks at
the ends removed, then by a unique ending (`a/1.jpg` for `data/a/1.jpg`).
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from labelconv import codes
from labelconv.errors import OptionError, SourceError
from labelconv.problems import Code

#: Labelbox takes global keys of at most this many characters (docs, /docs/limits).
LONGEST_KEY = 200
_FIELD = re.compile(r"\{([^{}]*)\}")
_ALWAYS = ("file_name", "name", "stem", "path", "id")


class Keys:
    """Makes the key of each sample and sees to it that no two samples share one.

    `template`: `{file_name}` `{name}` `{stem}` `{path}` `{id}` and any field of the source's
    record. `table`: a CSV file of two columns, source name and key; with a header whose second
    column is `data_row_id`, keys are data-row ids. Without either, the source's own name is used.
    """

    def __init__(self, *, template: str | None = None, table: str | Path | None = None) -> None:
        if template is not None and table is not None:
            raise OptionError("one of a key template and a key table expected, both given")
        self._template = template
        self._needed = _fields_of(template) if template is not None else ()
        self._table = _Table(Path(table)) if table is not None else None
        self._first: dict[str, str] = {}

    @property
    def needs_fields(self) -> bool:
        """Whether the template names fields beyond the usual ones."""
        return any(field not in _ALWAYS for field in self._needed)

    @property
    def renames(self) -> bool:
        """Whether keys are made anew, from a template or a table."""
        return self._template is not None or self._table is not None

    @property
    def are_ids(self) -> bool:
        """Whether the keys are Labelbox data-row ids."""
        return self._table is not None and self._table.are_ids

    @property
    def given(self) -> dict[str, str]:
        """The keys given so far, and the source's name for each."""
        return self._first

    def restart(self) -> None:
        """Forget the keys given so far: the source is read again from its start."""
        self._first.clear()

    def key(self, path: str, id: str, fields: Mapping[str, object]) -> KeyOrProblem:
        """The key of the sample that the source calls `path` (or `id`).

        Returns (key, None) or (None, (code, values)) when there is no usable key.
        """
        name = path or id
        if self._table is not None:
            found = self._table.find(name)
            if isinstance(found, tuple):
                return None, found
            key = found
        elif self._template is not None:
            key_or_problem = self._filled(path, id, fields)
            if isinstance(key_or_problem, tuple):
                return None, key_or_problem
            key = key_or_problem
        else:
            key = name
        values: dict[str, object]
        if len(key) > LONGEST_KEY:
            values = {"length": len(key), "key": key[:60] + "…"}
            return None, (codes.KEY_TOO_LONG, values)
        if key in self._first:
            values = {"key": key, "first": repr(self._first[key])}
            return None, (codes.KEY_COLLISION, values)
        self._first[key] = name
        return key, None

    def takes(self, name: str) -> bool:
        """Give a sample its name as its key, as `key` does; False, and nothing, where it must."""
        if not 0 < len(name) <= LONGEST_KEY or name in self._first or self.renames:
            return False
        self._first[name] = name
        return True

    def _filled(
        self, path: str, id: str, fields: Mapping[str, object]
    ) -> str | tuple[Code, dict[str, object]]:
        assert self._template is not None
        values: dict[str, object] = {**fields, **_parts_of(path), "id": id}
        missing = [field for field in self._needed if values.get(field) in (None, "")]
        if missing:
            known = ", ".join(sorted(k for k, v in values.items() if v not in (None, "")))
            return codes.KEY_FIELD_MISSING, {"field": missing[0], "known": known or "no field"}
        return _FIELD.sub(lambda match: str(values[match[1]]), self._template)


KeyOrProblem = tuple[str, None] | tuple[None, tuple[Code, dict[str, object]]]


def _fields_of(template: str) -> tuple[str, ...]:
    fields = tuple(_FIELD.findall(template))
    left = _FIELD.sub("", template)
    if "{" in left or "}" in left or "" in fields:
        raise OptionError(f"a key template such as '{{stem}}' expected, {template!r} found")
    if not fields:
        raise OptionError(
            f"a key template with at least one field expected, {template!r} found: "
            f"every sample would have the same key"
        )
    return fields


def _parts_of(path: str) -> dict[str, object]:
    """The usual fields, from a path spelled with `/` or `\\`."""
    plain = path.replace("\\", "/")
    name = plain.rsplit("/", 1)[-1]
    stem, dot, _ = name.rpartition(".")
    return {"file_name": path, "path": plain, "name": name, "stem": stem if dot and stem else name}


def normal(name: str) -> str:
    """A name as it is compared when spelled by another system."""
    plain = unquote(name).replace("\\", "/").strip()
    return unicodedata.normalize("NFC", plain.removeprefix("./"))


class _Table:
    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{path}: a CSV file in UTF-8 expected; {error}") from error
        rows = [row for row in csv.reader(io.StringIO(text)) if any(row)]
        self.are_ids = False
        if rows and len(rows[0]) > 1 and rows[0][1].strip().lower() in _HEADERS:
            self.are_ids = rows[0][1].strip().lower() in ("data_row_id", "datarowid", "data row id")
            rows = rows[1:]
        self.exact: dict[str, str] = {}
        self.normal: dict[str, list[str]] = {}
        self.endings: dict[str, list[str]] = {}
        for number, row in enumerate(rows, 1):
            if len(row) < 2 or not row[1].strip():
                raise SourceError(f"{path}: two columns expected in row {number}, {row} found")
            name, key = row[0], row[1].strip()
            if self.exact.setdefault(name, key) != key:
                raise SourceError(
                    f"{path}: {name!r} has two keys, {self.exact[name]!r} and {key!r}"
                )
            self.normal.setdefault(normal(name), []).append(name)
            self.endings.setdefault(normal(name).rsplit("/", 1)[-1], []).append(name)

    def find(self, name: str) -> str | tuple[Code, dict[str, object]]:
        """The key for a source name, or the problem."""
        if name in self.exact:
            return self.exact[name]
        plain = normal(name)
        rows = self.normal.get(plain) or [
            row
            for row in self.endings.get(plain.rsplit("/", 1)[-1], [])
            if _same_ending(normal(row), plain)
        ]
        keys = {self.exact[row] for row in rows}
        if len(keys) == 1:
            return keys.pop()
        if keys:
            listed = ", ".join(repr(row) for row in sorted(rows))
            return codes.KEY_AMBIGUOUS, {"name": name, "file": str(self.path), "candidates": listed}
        import difflib

        near = difflib.get_close_matches(name, self.exact, 1)
        hint = f"; the nearest is {near[0]!r}" if near else ""
        return codes.KEY_MISSING, {"name": name, "file": str(self.path), "hint": hint}


_HEADERS = (
    "key",
    "global_key",
    "globalkey",
    "global key",
    "data_row_id",
    "datarowid",
    "data row id",
)


def _same_ending(one: str, other: str) -> bool:
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    return longer == shorter or longer.endswith("/" + shorter)
