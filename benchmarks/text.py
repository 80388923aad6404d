"""Times of reading texts, as ratios measured in one run.

    python benchmarks/text.py [--documents N] [--rounds N]

- spaCy JSONL is read (nothing consumes it), converted to `native`, and to Labelbox lines (by as
  many processes as help, and by one); the measure is `json.loads` of every line and `json.dumps`
  of what it gave.
- a DocBin is read; the measure is spaCy's own `get_docs` loop (without the import of spaCy).

Prints a line for each: the best time of all rounds, in which the runs take turns, since machines
are not equally fast all the time; the seconds of all its processors; and the highest memory of a
process. Each run is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

_WORDS = [
    "Anna",
    "Łódź",
    "😂",
    "went",
    "to",
    "New",
    "York",
    "City",
    "with",
    "a",
    "friend",
    "of",
    "Bob",
    "from",
    "São",
    "Paulo",
    "👩\u200d🚀",
    "and",
    "said",
    "that",
    "the",
    "meeting",
    "on",
    "4",
    "September",
    "was",
    "moved,",
    "because",
    "nobody",
    "from",
    "Müller",
    "&",
    "Sons",
    "could",
    "come",
    "東京",
]


def make(path: Path, count: int) -> None:
    """Documents of about 300 characters with five spans, some of them overlapping."""
    draw = random.Random(7)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            words = [draw.choice(_WORDS) for _ in range(50)]
            text = " ".join(words)
            starts = [0]
            for word in words:
                starts.append(starts[-1] + len(word) + 1)
            spans = []
            for _ in range(5):
                first = draw.randrange(47)
                last = first + draw.randrange(1, 3)
                start, end = starts[first], starts[last] - 1
                spans.append({"start": start, "end": end, "label": draw.choice(("PER", "LOC"))})
            line = {"text": text, "spans": spans, "meta": {"source": number}, "answer": "accept"}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def measure(path: Path) -> None:
    """Every line parsed and written back, which is the least that a script would do."""
    with path.open(encoding="utf-8") as file, Path("/dev/null").open("w") as out:
        out.writelines(json.dumps(json.loads(line)) + "\n" for line in file)


def read(path: Path) -> None:
    import labelconv

    for _ in labelconv.read(path, "spacy"):
        pass


def convert(target: str, jobs: int | None = None) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        import labelconv

        out = path.with_name(f"out.{target}")
        labelconv.convert(path, out, from_="spacy", to=target, allow=["loss"], jobs=jobs)

    return run


def spacy_loop(path: Path) -> None:
    import spacy
    from spacy.tokens import DocBin

    vocab = spacy.blank("xx").vocab
    start = time.perf_counter()
    for _ in DocBin().from_disk(path).get_docs(vocab):
        pass
    print(time.perf_counter() - start)


_RUNS: dict[str, Callable[[Path], None]] = {
    "measure": measure,
    "read": read,
    "native": convert("native"),
    "labelbox": convert("labelbox"),
    "alone": convert("labelbox", 1),
    "docbin": convert("spacy"),
    "spacy": spacy_loop,
}


class Best(NamedTuple):
    """The best of several runs: seconds, seconds of processors, megabytes of one process."""

    seconds: float
    busy: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.seconds:6.2f} s  {self.busy:6.2f} s busy  {self.megabytes:4.0f} MB"


def timed(runs: Sequence[str], path: Path, rounds: int) -> dict[str, Best]:
    """What each run takes, in a process of its own; the runs take turns."""
    best: dict[str, Best] = {}
    for _ in range(rounds):
        for run in runs:
            command = [sys.executable, __file__, "--run", run, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = Best(*map(float, done.stdout.split()[-3:]))
            known = best.get(run, found)
            best[run] = Best(*map(min, known, found))
    return best


def run_now(run: str, path: Path) -> None:
    """One run in this process; prints its seconds, busy seconds and megabytes."""
    start = time.perf_counter()
    before = _busy()
    _RUNS[run](path)
    seconds = time.perf_counter() - start
    busy = _busy() - before
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    print(seconds, busy, max(resource.getrusage(who).ru_maxrss for who in both) / 1024)


def _busy() -> float:
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(who) for who in both]
    return sum(each.ru_utime + each.ru_stime for each in used)


_ROWS = {
    "read": "spaCy JSONL read",
    "native": "spaCy JSONL -> native",
    "labelbox": "spaCy JSONL -> labelbox",
    "alone": "spaCy JSONL -> labelbox, --jobs 1",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--run", nargs=2, metavar=("RUN", "FILE"))
    given = parser.parse_args()
    if given.run:
        run_now(given.run[0], Path(given.run[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "docs.jsonl"
        make(path, given.documents)
        print(f"{given.documents} documents, {path.stat().st_size / 1e6:.0f} MB of spaCy JSONL")
        best = timed(["measure", *_ROWS], path, given.rounds)
        base = best["measure"]
        print(f"{'json.loads and dumps of each line':34} {base}")
        for run, words in _ROWS.items():
            print(f"{words:34} {best[run]}  {best[run].seconds / base.seconds:5.2f}×")
        few = Path(folder) / "few.jsonl"
        make(few, given.documents // 5)
        import labelconv

        binary = Path(folder) / "docs.spacy"
        labelconv.convert(few, binary, from_="spacy", to="spacy")
        done = [
            subprocess.run(
                [sys.executable, __file__, "--run", "spacy", str(binary)],
                capture_output=True,
                text=True,
                check=True,
            )
            for _ in range(given.rounds)
        ]
        loop = min(float(each.stdout.split()[0]) for each in done)
        print(f"spaCy's get_docs, {given.documents // 5} documents  {loop:6.2f} s")
        found = timed(["read"], binary, given.rounds)["read"]
        print(f"{'DocBin read by labelconv':34} {found}  {found.seconds / loop:5.2f}×")


if __name__ == "__main__":
    main()
