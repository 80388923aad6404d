"""The pages of the problem codes, and the codes that `--allow` takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from labelconv.codes import CODES
from labelconv.errors import OptionError
from labelconv.problems import Code

FAMILIES = {
    "R": "reading",
    "M": "values and geometry",
    "O": "ontology and names",
    "L": "what a target cannot hold",
    "S": "a target's own rules",
    "K": "keys",
}

_LOSS_FAMILIES = {code.id[:2] for code in CODES.values() if code.severity == "loss"}


def find(text: str) -> Code:
    """The code of this id (`L402`, in any case) or name (`shape-lowered`).

    Raises `OptionError` with the nearest one.
    """
    wanted = text.strip()
    code = CODES.get(wanted.upper())
    if code is not None:
        return code
    by_name = {code.name: code for code in CODES.values()}
    plain = wanted.lower().replace("_", "-").replace(" ", "-")
    if plain in by_name:
        return by_name[plain]
    near = difflib.get_close_matches(plain, by_name, 1, 0.5)
    family = sorted(id for id in CODES if id[0] == wanted[:1].upper())
    hint = ""
    if near:
        hint = f" Did you mean {by_name[near[0]].id} {near[0]}?"
    elif wanted[1:].isdigit() and family:
        hint = f" There are {family[0]} to {family[-1]}."
    raise OptionError(f"the id or the name of a problem expected, {text!r} found.{hint}")


def page(code: Code) -> str:
    """The code's page as plain text."""
    return "\n".join(
        (
            f"{code.id} {code.name} ({code.severity}; {FAMILIES[code.id[0]]})",
            "",
            f"  means    {code.message}",
            f"  why      {code.why}",
            f"  example  {code.example}",
            f"  do       {code.do}",
        )
    )


def granted(allow: Iterable[str]) -> tuple[str, ...]:
    """What `--allow` was given, checked: `loss`, a family (`L4`), or the id or name of a loss.

    Raises `OptionError` for what can never allow anything.
    """
    taken = []
    for item in allow:
        if item == "loss" or item in _LOSS_FAMILIES:
            taken.append(item)
            continue
        code = find(item)
        if code.severity != "loss":
            raise OptionError(
                f"a loss expected to be allowed, {code.id} {code.name} found, which is "
                f"{'an error' if code.severity == 'error' else 'a note'}"
            )
        taken.append(code.id)
    return tuple(taken)
