"""The features, questions and options that the lines of files name."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.ontology import Ontology as GivenOntology
from labelconv.formats.labelbox.reader_about import About
from labelconv.formats.labelbox.reader_files import File, block_lines, decoded
from labelconv.formats.labelbox.reader_lines import Lines
from labelconv.formats.labelbox.reader_masks import Pictures
from labelconv.formats.labelbox.reader_names import Features, as_model, joined
from labelconv.io import lines, skip_mark
from labelconv.model import Annotation, Image, Ontology, Sample
from labelconv.problems import Report
from labelconv.usage import ontology_of


def ontology_in(files: list[File], given: GivenOntology | None) -> Ontology:
    """The given ontology, and the features that the lines name beyond it.

    By one pass that makes no shapes and reports nothing.
    """
    made = About(Lines(Features(given), Pictures(None), Report()))

    def samples() -> Iterator[Sample]:
        seen: set[str] = set()
        for file in files:
            with file.source.open() as stream:
                skip_mark(stream, file.source.name)
                for _, data in lines(stream):
                    for line in decoded(data) or block_lines(data):
                        if line is None or line.relationship is not UNSET:
                            continue
                        plain = line.answer is UNSET and line.answers is UNSET
                        plain = plain and line.segments is UNSET and line.masks is UNSET
                        if plain and line.classifications is UNSET and line.name in seen:
                            continue
                        try:
                            abouts = made.of(line)
                        except (Fault, RecursionError):
                            continue  # said when the samples are read
                        for about in abouts:
                            if isinstance(about, Annotation):
                                seen.add(about.category)
                                yield Sample("", Image(), (about,))
                            else:
                                yield Sample("", Image(), (), (about,))

    used = ontology_of(samples())
    return used if given is None else joined(as_model(given), used)
