"""Entities as tags of tokens: IOB1, IOB2, BILUO, BIOES, BMES, bare labels and brackets.

All schemes are read by one rule, which gives each its own reading:

- `B-X` begins an entity, and so does `I-X` after something that is not of X (that is IOB1);
- `L-`, `E-` end one, `U-`, `S-` are one token;
- a label without a prefix is an entity with its like beside it;
- `(X*`, `*`, `*)` are CoNLL-2012's brackets.
"""

from __future__ import annotations

from collections.abc import Sequence

from labelconv import codes
from labelconv.problems import Report, Where

_OUTSIDE = frozenset(("O", "", "-", "_", "*", "o"))
_PREFIXES = frozenset("BILUESM")


class Tags:
    """Decodes tags, and knows what to say about their scheme when all of them have been seen."""

    def __init__(self) -> None:
        self._begun = 0  # entities that begin with B-, U- or S-
        self._loose = 0  # entities that begin with I-, M-, L- or E-
        self._first_loose: Where | None = None

    def entities(
        self, tags: Sequence[str | None], where: Where | None = None
    ) -> list[tuple[int, int, str]]:
        """(first token, token behind the last, label) of each entity, in order."""
        found: list[tuple[int, int, str]] = []
        start = -1
        label = ""
        bracket = False
        for number, tag in enumerate(tags):
            if bracket:
                if tag is not None and tag.endswith(")"):
                    found.append((start, number + 1, label))
                    start, bracket = -1, False
                continue
            if tag is None or tag in _OUTSIDE:
                if start >= 0:
                    found.append((start, number, label))
                    start = -1
                continue
            if tag[0] == "(" and tag[-1] in "*)":
                if start >= 0:
                    found.append((start, number, label))
                start, label, bracket = number, tag.strip("(*)"), tag[-1] == "*"
                self._begun += 1
                if not bracket:
                    found.append((number, number + 1, label))
                    start = -1
                continue
            prefixed = tag[1:2] == "-" and tag[0] in _PREFIXES
            prefix, name = (tag[0], tag[2:]) if prefixed else ("I", tag)
            goes_on = start >= 0 and name == label and prefix in "IMLE"
            if not goes_on:
                if start >= 0:
                    found.append((start, number, label))
                start, label = number, name
                if prefix in "BUS":
                    self._begun += 1
                elif prefixed:
                    self._loose += 1
                    self._first_loose = self._first_loose or where
            if prefix in "LEUS":
                found.append((start, number + 1, label))
                start = -1
        if start >= 0:
            found.append((start, len(tags), label))
        return found

    def met(self) -> tuple[int, int, Where | None]:
        """What `tell` depends on; for another process."""
        return self._begun, self._loose, self._first_loose

    def join(self, met: tuple[int, int, Where | None]) -> None:
        """Add what was met in a later part of the source."""
        begun, loose, first_loose = met
        self._begun += begun
        self._loose += loose
        self._first_loose = self._first_loose or first_loose

    def tell(self, report: Report, path: str) -> None:
        """Note the scheme where it is not evident, or tags that break it."""
        if not self._loose:
            return
        where = self._first_loose or Where(path=path)
        if self._begun:
            report.add(codes.TAG_CONFUSED, where, count=self._loose)
        else:
            evidence = f"all {self._loose} entities begin with I-"
            place = Where(path=path)
            report.add(codes.CONVENTION_GUESSED, place, what="tags are IOB1", evidence=evidence)


def iob2(count: int, entities: Sequence[tuple[int, int, str]]) -> list[str]:
    """One tag for each of `count` tokens. The entities must not overlap."""
    tags = ["O"] * count
    for start, end, label in entities:
        tags[start] = f"B-{label}"
        tags[start + 1 : end] = [f"I-{label}"] * (end - start - 1)
    return tags


def biluo(count: int, entities: Sequence[tuple[int, int, str]], letters: str = "BILU") -> list[str]:
    """One tag for each token; `letters` begin, go on, end and stand alone (`BIES` for BIOES)."""
    begin, inside, last, single = tuple(letters)
    tags = ["O"] * count
    for start, end, label in entities:
        if end - start == 1:
            tags[start] = f"{single}-{label}"
            continue
        tags[start] = f"{begin}-{label}"
        tags[start + 1 : end - 1] = [f"{inside}-{label}"] * (end - start - 2)
        tags[end - 1] = f"{last}-{label}"
    return tags
