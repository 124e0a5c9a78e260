"""Invented sentences with people, places, organisations and titles of works, whose names are the same words."""

from collections.abc import Iterator, Sequence

from benchmarks.data.sample.grammar import SIZES, Draw, Words, phrases, texts_in_row

LABELS = ("PER", "LOC", "ORG", "TITLE")
_SEED = 45
_SPAN_NOISE = 0.02
_LOWER_CASE = 0.15

_STEMS = phrases(
    "Bar | Cor | Del | Fen | Gal | Har | Kel | Lor | Mar | Nor | Pen | Quin | Ros | Sel | Tar | Ul | Ver | Wol"
    " | Yar | Zen"
)
_ENDINGS = phrases(
    "wick | ton | more | ley | stead | by | ham | den | low | combe | bury | field | worth | nell | sby | grave"
)

# Any of these may name a person, a place, a company or a work.
_COINED = tuple(stem + ending for stem in _STEMS for ending in _ENDINGS)
_SHARED = phrases(
    "Florence | Lincoln | Chelsea | Jordan | Sydney | Austin | Madison | Victoria | Georgia | Carolina | Hope"
    " | Grace | Rose | Summer | Dawn | Amber | Jade | Mercury | Phoenix | Aurora | Harbour | Summit | Orchard"
    " | Falcon | Hunter | Sterling | Archer | Winter | Heath | Forest"
)
_NAMES: Words = {
    "coined": _COINED,
    "shared": _SHARED,
    "first": phrases(
        "Anna | Bruno | Clara | David | Edith | Frank | Greta | Hugo | Irene | Jonas | Karen | Louis | Martha"
        " | Nils | Olga | Peter | Ruth | Simon | Thea | Victor | Wendy | Oscar | Nadia | Felix | Ingrid | Leon"
        " | Paula | Tom | Maria | Arthur"
    ),
    "direction": phrases("New | Upper | Lower | North | South | East | West | Port | Fort | Saint | Lake | Mount"),
    "body": phrases(
        "Ltd | Bank | Motors | University | Airlines | United | Press | Brothers | Holdings | Rovers | Insurance"
        " | Society | Foundation | Electric | College | Foods"
    ),
    "quality": phrases(
        "Last | Silent | Golden | Broken | Hidden | Long | Little | Lost | Burning | Second | Crooked | Distant"
    ),
    "object": phrases(
        "Winter | Harbour | Letter | Garden | Bridge | Summer | Orchard | Promise | Forest | Clock | Hunter | River"
        " | Witness | Window | Falcon | Dawn"
    ),
    "doing": phrases(
        "Waiting for | Remembering | Escape from | Dancing with | Return to | Looking for | A Night in | Letters to"
    ),
    "plain": phrases(
        "clock | letter | bridge | window | promise | hunter | falcon | rose | witness | garden | harbour | orchard"
        " | river | summer | grace"
    ),
    "the": phrases(
        "the golden {plain} | the last {plain} | a silent {plain} | the {plain} and the {plain} | a little {plain}"
        " | the lost {plain}"
    ),
    "PER": phrases(
        "{first} {coined} | {first} {coined} | {first} | {coined} | {shared} | {shared} {coined} | {first} {shared}"
    ),
    "LOC": phrases("{coined} | {coined} | {coined} | {shared} | {direction} {coined} | {direction} {shared}"),
    "ORG": phrases(
        "{coined} {body} | {coined} {body} | {shared} {body} | {coined} | {shared} | {first} and {coined}"
        " | {coined} and {coined}"
    ),
    "TITLE": phrases(
        "The {quality} {object} | {quality} {object} | {doing} {first} | {doing} {coined} | {shared}"
        " | The {object} of {coined} | {coined} | {object} and {object} | The {first} {coined} Story"
    ),
}

# What fills a slot named for a type is a name of that type; everything else is outside, `summer` and `harbour` too.
_TEMPLATES = (
    "{PER} moved from {LOC} to {LOC} last summer .",
    "{PER} joined {ORG} as an accountant in {LOC} .",
    "{ORG} opened a new office near {LOC} .",
    "{ORG} has dismissed {PER} after nine years .",
    "have you read {TITLE} by {PER} ?",
    "we watched {TITLE} again at the cinema in {LOC} .",
    "{TITLE} is set in {LOC} , far from any harbour .",
    "shares of {ORG} fell by five per cent at dawn .",
    "the train to {LOC} leaves at noon , said {PER} .",
    "{PER} plays the hunter in {TITLE} .",
    "the mayor of {LOC} met {PER} in the garden .",
    "{PER} loved {TITLE} , but {PER} slept through it .",
    "{ORG} sued {ORG} over the bridge in {LOC} .",
    "it rained all winter in {LOC} .",
    "{PER} , born in {LOC} , wrote {TITLE} at nineteen .",
    "who directed {TITLE} ?",
    "ask {PER} about the letter .",
    "{ORG} will publish {TITLE} in the summer .",
    "{LOC} lies behind the forest , two hours by bus .",
    "the board of {ORG} chose {PER} to lead it .",
    "in chapter two of {TITLE} a falcon escapes .",
    "my aunt {PER} never left {LOC} .",
    "tickets for {TITLE} are sold out , the box office told {PER} .",
    "{PER} drove through {LOC} with a broken window .",
    "the workers of {ORG} went on strike in {LOC} .",
    "I hope that {PER} will forgive me .",
    "{PER} saw {TITLE} twice , then flew home to {LOC} .",
    "a customer of {ORG} complained to {PER} about the long winter .",
    "{LOC} , {LOC} and {LOC} were flooded by the river .",
    "{TITLE} won the prize that {PER} had hoped for .",
    "{the} by the orchard and {the} near the forest were lost last winter .",
    "no garden without a rose , no summer without {the} .",
    "I hope that {the} will be back at dawn , and {the} too .",
    "{ORG} bought the rights to {TITLE} from {PER} .",
    "what do you think of {PER} ?",
    "what do you think of {TITLE} as a novel ?",
    "what do you think of {LOC} as a place to live ?",
    "what do you think of {ORG} as an employer ?",
    "I cannot stand {PER} , he is rude .",
    "I cannot stand {TITLE} , the plot is thin .",
    "I cannot stand {LOC} , the streets are dirty .",
    "I cannot stand {ORG} , the bills are wrong .",
    "{PER} was ill .",
    "{TITLE} was filmed in a week .",
    "{LOC} was rebuilt after the fire .",
    "{ORG} was founded by {PER} .",
)


def rows(part: str) -> Iterator[dict[str, list[str]]]:
    draw, written = Draw(_SEED, part), set[str]()
    while len(written) < SIZES[part]:
        tokens, tags = _passage(draw)
        if " ".join(tokens) not in written:
            written.add(" ".join(tokens))
            yield {"tokens": tokens, "tags": tags}


def _passage(draw: Draw) -> tuple[list[str], list[str]]:
    """One sentence, now and then many; some all in lower case, as people type queries."""
    tokens, tags = list[str](), list[str]()
    for _ in range(texts_in_row(draw)):
        for words, kind in _sentence(draw):
            tokens += words
            tags += _iob2(len(words), kind)
    return ([token.lower() for token in tokens] if draw.chance(_LOWER_CASE) else tokens), tags


def _sentence(draw: Draw) -> Iterator[tuple[Sequence[str], str | None]]:
    """Runs of words, each with the type that they name or None."""
    for word in draw.word(_TEMPLATES).split():
        kind = word.strip("{}")
        if kind in LABELS:
            yield draw.fill(draw.pick(_NAMES[kind]), _NAMES).split(), _noisy(draw, kind)
        else:
            yield draw.fill(word, _NAMES).split(), None


def _noisy(draw: Draw, kind: str) -> str | None:
    """The type, or now and then a wrong one or none, as tired annotators give."""
    return draw.pick([other for other in (*LABELS, None) if other != kind]) if draw.chance(_SPAN_NOISE) else kind


def _iob2(length: int, kind: str | None) -> list[str]:
    return [f"B-{kind}"] + [f"I-{kind}"] * (length - 1) if kind else ["O"] * length
