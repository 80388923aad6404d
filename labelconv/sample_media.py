"""Small datasets about videos, texts, conversations, documents, maps and sounds."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from labelconv.model import (
    Annotation,
    Audio,
    Box,
    Classification,
    Conversation,
    Document,
    FreeText,
    Keyframe,
    Message,
    OnPage,
    Page,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Text,
    TextSpan,
    TiledImage,
    Track,
    Value,
    Video,
)

_FRAMES = 40
_NAMES = ("Łódź", "Ada Lovelace", "Zoë 🐕", "東京", "Dr. No")


def sample_of(media: type, number: int, random: Random, *, empty: bool) -> Sample:
    """A sample about one kind of media; the names of all of them are not only ASCII."""
    return _MAKERS[media](number, random, empty=empty)


def _video(number: int, random: Random, *, empty: bool) -> Sample:
    """Cars that move evenly, one of which leaves and returns."""
    name = f"größe_{number}.mp4"
    media = Video(640.0, 480.0, _FRAMES, 25.0)
    if empty:
        return Sample(name, media, uri=name)
    annotations = tuple(
        Annotation(str(each), "car" if each % 2 else "犬 🐕", _track(random, leaves=each == 1))
        for each in range(1, random.randint(2, 4) + 1)
    )
    scene = (
        Classification("scene", Radio("indoor"), ((0, 12),)),
        Classification("scene", Radio("outdoor"), ((12, _FRAMES),)),
    )
    return Sample(name, media, annotations, scene, uri=name)


def _track(random: Random, *, leaves: bool) -> Track:
    left, top = random.randrange(300), random.randrange(300)

    def at(frame: int) -> Keyframe:
        x, y = left + 2.0 * frame, top + 0.5 * frame
        return Keyframe(frame, Box(x, y, x + 60.0, y + 40.0))

    first = tuple(map(at, range(15 if leaves else _FRAMES)))
    return Track((first, tuple(map(at, range(25, _FRAMES)))) if leaves else (first,))


def _words(random: Random) -> tuple[str, list[TextSpan]]:
    """A text with names in it, and where they are."""
    text = "I met "
    spans = []
    for name in random.sample(_NAMES, random.randint(1, 3)):
        spans.append(TextSpan(len(text), len(text) + len(name)))
        text += f"{name} and "
    return f"{text}nobody else.", spans


def _text(number: int, random: Random, *, empty: bool) -> Sample:
    name = f"text_{number}.txt"
    text, spans = _words(random)
    if empty:
        return Sample(name, Text("Nobody is here."), uri=name)
    annotations = tuple(
        Annotation(str(place), "person" if place else "étang", span)
        for place, span in enumerate(spans)
    )
    relations = (Relation("r1", "met", "0", "1"),) if len(spans) > 1 else ()
    asked = (Classification("topic", Radio(random.choice(("travel", "Straße")))),)
    return Sample(name, Text(text), annotations, asked, relations, name)


def _conversation(number: int, random: Random, *, empty: bool) -> Sample:
    name = f"talk_{number}.json"
    messages = []
    annotations = []
    for place in range(3):
        text, spans = _words(random)
        messages.append(Message(f"m{place}", text, ("Ann", "Bob")[place % 2]))
        span = TextSpan(spans[0].start, spans[0].end, f"m{place}")
        annotations.append(Annotation(str(place), "person", span))
    found = () if empty else tuple(annotations)
    return Sample(name, Conversation(tuple(messages)), found, uri=name)


def _document(number: int, random: Random, *, empty: bool) -> Sample:
    name = f"blatt_{number}.pdf"
    media = Document((Page(612.0, 792.0), Page(792.0, 612.0)))
    if empty:
        return Sample(name, media, uri=name)
    annotations = []
    for place in range(random.randint(1, 4)):
        left, top = random.randrange(400), random.randrange(500)
        shape = Box(left, top, left + 120.5, top + 36.25)
        annotations.append(Annotation(str(place), "tableau", OnPage(place % 2, shape)))
    return Sample(name, media, tuple(annotations), uri=name)


def _map(number: int, random: Random, *, empty: bool) -> Sample:
    name = f"karte_{number}"
    west, south = -84.5, 33.6
    media = TiledImage("EPSG:4326", (west, south, west + 0.1, south + 0.1))
    if empty:
        return Sample(name, media, uri=name)
    x, y = west + random.randrange(50) / 1000, south + random.randrange(50) / 1000
    step = 2**-10
    roof = (x, y, x + step, y, x + step, y + step, x, y + step)
    values: tuple[tuple[str, Value], ...] = (
        ("toit", Polygon(((roof,),))),
        ("road", Polyline((x, y, x + step, y + step, x + 2 * step, y))),
        ("tree", Point(x, y)),
    )
    annotations = tuple(
        Annotation(str(place), category, value) for place, (category, value) in enumerate(values)
    )
    return Sample(name, media, annotations, uri=name)


def _sound(number: int, random: Random, *, empty: bool) -> Sample:
    name = f"ton_{number}.wav"
    if empty:
        return Sample(name, Audio(9_000), uri=name)
    said: list[Classification] = []
    at = 0
    for _ in range(random.randint(1, 4)):
        end = at + random.randrange(200, 2_000)
        speaker = Radio(random.choice(("Ann", "Zoë 🐕")))
        said.append(Classification("speaker", speaker, ((at, end),)))
        said.append(Classification("transcript", FreeText("grüß dich"), ((at, end),)))
        at = end + random.randrange(300)
    return Sample(name, Audio(9_000), (), tuple(said), uri=name)


_MAKERS: dict[type, Callable[..., Sample]] = {
    Video: _video,
    Text: _text,
    Conversation: _conversation,
    Document: _document,
    TiledImage: _map,
    Audio: _sound,
}
