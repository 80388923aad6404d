"""The ids of a COCO file that is written: the source's own where they can stay, else new ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeGuard

import msgspec

from labelconv.formats.coco.wire import Id
from labelconv.identity import Seen
from labelconv.model import Category

#: Stands in the spool for an annotation id that is chosen at the end. JSON text never has it raw.
UNNUMBERED = msgspec.Raw(b"\x00")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")


def as_number(text: str) -> int | None:
    """The whole number that a text spells in the usual way (not `007`, `-0` or `1.0`)."""
    if text == "-0" or _WHOLE.fullmatch(text) is None:
        return None
    # Python refuses to read more than 4300 digits; an id of more than 40 is a name, not a number.
    return int(text) if len(text) <= 40 else None


class Numbers:
    """Unique ids of one kind. `changed` counts the ids that could not stay."""

    def __init__(self) -> None:
        self._seen = Seen()
        self._next = 1
        self.changed = 0

    def keep(self, id: Id) -> bool:
        """Whether `id` is free; it is taken then."""
        return not self._seen.add(id)

    def new(self) -> int:
        """The smallest number from 1 on that is free."""
        while self._seen.add(self._next):
            self._next += 1
        return self._next


class Pictures:
    """The ids of images, by the keys of samples.

    `texts`: an image without an id of its own is called by its key, as results lists need it;
    else it is numbered from 1.
    """

    def __init__(self, *, texts: bool) -> None:
        self.numbers = Numbers()
        self._ids: dict[str, Id] = {}
        self._texts = texts

    def find(self, key: str, own: object) -> tuple[Id, bool]:
        """The id of a sample, and whether this is the first piece of it."""
        known = self._ids.get(key)
        if known is not None:
            return known, False
        if is_id(own) and self.numbers.keep(own):
            chosen: Id = own
        else:
            self.numbers.changed += own is not None
            chosen = self._named(key) if self._texts else self.numbers.new()
        self._ids[key] = chosen
        return chosen, True

    def _named(self, key: str) -> Id:
        number = as_number(key)
        return key if number is None else number


def is_id(value: object) -> TypeGuard[Id]:
    """Whether a value can be an id: a whole number or a text."""
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def name_without_file(url: object, id: int | str) -> str:
    """What a picture without `file_name` is called: the last two parts of its URL, or its id.

    LVIS has no file_name; the last two parts of the URL are folder and name.
    """
    if isinstance(url, str) and url:
        return "/".join(url.split("?")[0].rstrip("/").split("/")[-2:])
    return str(id)


class Class(msgspec.Struct):
    """A category as it is written: its id, and the keypoint names known so far."""

    id: Id
    category: Category
    keypoints: list[str]
    places: dict[str, list[int]]
    first_names: int

    def place(self, name: str, used: set[int]) -> int:
        """The position of a keypoint among the names; a name that is not there is appended."""
        for position in self.places.get(name, ()):
            if position not in used:
                return position
        position = len(self.keypoints)
        self.keypoints.append(name)
        self.places.setdefault(name, []).append(position)
        return position


class Classes:
    """Categories by name, in the order of the ontology, then as annotations bring them."""

    def __init__(self, categories: Iterable[Category]) -> None:
        self.numbers = Numbers()
        self.all: list[Class] = []
        self._by_name: dict[str, Class] = {}
        known = tuple(categories)
        kept = [self._kept(category) for category in known]
        for category, id in zip(known, kept, strict=True):
            self._add(category, self.numbers.new() if id is None else id)

    def _kept(self, category: Category) -> Id | None:
        id = category.source_id
        if id is None:
            return None
        # Texts are ids only where COCO has them so; elsewhere they are names of another system.
        if (isinstance(id, int) or category.extra.get("coco:id") == id) and self.numbers.keep(id):
            return id
        self.numbers.changed += 1
        return None

    def _add(self, category: Category, id: Id) -> Class:
        names = list(category.keypoints)
        places: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            places.setdefault(name, []).append(position)
        made = Class(id, category, names, places, len(names))
        self.all.append(made)
        self._by_name.setdefault(category.name, made)
        return made

    def find(self, name: str) -> Class:
        """The category of a name, made when the ontology does not have it."""
        found = self._by_name.get(name)
        return self._add(Category(name=name), self.numbers.new()) if found is None else found
