"""Which properties of a GeoJSON file are read, and as what."""

from __future__ import annotations

from labelconv.attributes import Answers, Keys, listed
from labelconv.formats.geojson.options import GeojsonReaderOptions
from labelconv.formats.geojson.outline import Outline


def keys_of(options: GeojsonReaderOptions, outline: Outline) -> Keys:
    """The properties that options name, then those that labelconv named when it wrote the file."""
    trailer = outline.trailer
    answers: dict[str, Answers] = dict(trailer.answers) if trailer is not None else {}
    asked, others = listed(
        {"radio": options.radio, "checklist": options.checklist, "text": options.text}
    )
    answers.update(asked)
    class_key, sample_key = options.class_key, options.sample_key
    confidence_key = options.confidence_key
    if trailer is not None:
        class_key = trailer.class_key if class_key is None else class_key
        sample_key = trailer.sample_key if sample_key is None else sample_key
        confidence_key = trailer.confidence_key
    return Keys(class_key, sample_key, confidence_key, answers, others)
