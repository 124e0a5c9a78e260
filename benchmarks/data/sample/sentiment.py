"""Invented one-line film reviews: negation, contrast and paraphrase decide, not single words."""

from collections.abc import Iterator, Mapping

from benchmarks.data.sample.grammar import Draw, Words, phrases, sentence, text_rows

LABELS = ("negative", "positive")
_SEED = 41
_OPPOSITE: Mapping[str, str] = {"negative": "positive", "positive": "negative"}
_SHARES: Mapping[str, float] = {"negative": 0.5, "positive": 0.5}

_WORDS: Words = {
    "positive": phrases(
        "brilliant | superb | delightful | charming | wonderful | excellent | gripping | touching | witty"
        " | graceful | fresh | clever | lovely | moving | polished | thrilling | elegant | warm | sparkling"
        " | inventive | satisfying | memorable | heartfelt | stunning | dazzling | hilarious | tender | masterful"
        " | refreshing | splendid | compelling | captivating | joyful | outstanding | marvellous | radiant"
        " | magnificent | enchanting | flawless | riveting | exquisite | first-rate | uplifting | fascinating"
        " | glorious | terrific | impressive | beautiful | adorable | triumphant"
    ),
    "negative": phrases(
        "dull | tedious | clumsy | awful | dreadful | boring | bland | sloppy | lifeless | shallow | tiresome"
        " | messy | predictable | stale | annoying | horrible | ugly | lazy | hollow | pointless | forgettable"
        " | grating | weak | confusing | disappointing | wooden | cheap | laughable | dismal | atrocious | painful"
        " | muddled | pretentious | insipid | dreary | abysmal | lousy | mediocre | terrible | clunky | soulless"
        " | irritating | flat | incoherent | ghastly | unbearable | feeble | wretched | miserable | pathetic"
    ),
    "felt-positive": phrases(
        "I would happily see it again | I could not stop smiling | I wanted it to last all night | it won my heart"
        " | we left the cinema singing | it stays with you for days | it is worth every penny"
        " | I told all my friends to go | the audience stood and cheered | I forgot the time completely"
        " | it made my week | it is a treasure for the whole family | I laughed until I cried | it earns every tear"
        " | it gets ten stars from me | we talked about it the whole way home with shining eyes"
        " | I found a new favourite | everyone in the row was beaming"
    ),
    "felt-negative": phrases(
        "I want my money back | I looked at my watch every five minutes | I walked out before the end"
        " | we could not wait to leave | two hours of my life are gone | half the audience fell asleep"
        " | I regret buying the ticket | you had better save your evening | even the popcorn had more flavour"
        " | nobody in our row was still awake | I kept wishing for a power cut | one star is too many"
        " | it gave me a headache | it is a waste of good film stock | we were yawning after ten minutes"
        " | you had better wash your hair | I warned all my friends | I am never going back"
    ),
    "part": phrases(
        "plot | cast | script | dialogue | music | camera work | ending | opening | lead actor | soundtrack"
        " | editing | humour | love story | costume design | pace | supporting cast | chase scene | voice-over"
        " | final act | scenery"
    ),
    "whole": phrases(
        "the film | the picture | this movie | the whole thing | the show | the series | the result | this sequel"
    ),
    "degree": phrases("really | quite | so | truly | utterly | rather | simply | just | surprisingly | often"),
    "not": phrases(
        "not at all | far from | hardly | anything but | by no means | never | a long way from | nowhere near"
        " | not exactly | not"
    ),
    "denial": phrases(
        "nobody could call {whole} | I would not call {whole} | do not believe that {whole} is"
        " | they were wrong to call {whole}"
    ),
    "who": phrases(
        "my sister | the critic next to me | the man at the till | the poster | my uncle | my neighbour | the newspaper"
    ),
}

# `same` holds words of the row's label, `other` of the opposite one: most templates hold both or negate one.
_TEMPLATES = (
    "the {part} is {degree} {same} and {whole} is {same}",
    "{a-same} {part}, {a-same} {part}",
    "{felt-same}, and the {part} is {same}",
    "{who} was right: {felt-same}",
    "{whole} is {not} {other}",
    "the {part} was {not} {other}, {felt-same}",
    "{denial} {other}, {felt-same}",
    "{denial} {other} or {other}",
    "the {part} is {not} {other} and the {part} is {not} {other}",
    "the {part} is {other}, but {whole} is {degree} {same}",
    "although the {part} is {other}, {whole} is {same}",
    "{whole} is {same}, even though the {part} is {degree} {other}",
    "despite {a-other} {part} and {a-other} {part}, {felt-same}",
    "{who} found it {other}, but I found it {degree} {same}",
    "{who} promised something {other}, yet {felt-same}",
    "yes, the {part} is {other}; still, {felt-same}",
    "I expected {a-other} {part} and got {a-same} one",
    "once the {other} {part} is over, {whole} turns {degree} {same}",
)


def rows(part: str) -> Iterator[dict[str, str]]:
    return text_rows(part, _SEED, _SHARES, _review)


def _review(draw: Draw, label: str) -> str:
    return sentence(draw.fill(draw.pick(_TEMPLATES), _words_for(label)))


def _words_for(label: str) -> Words:
    same, other = label, _OPPOSITE[label]
    return {
        **_WORDS,
        "same": _WORDS[same],
        "other": _WORDS[other],
        "felt-same": _WORDS[f"felt-{same}"],
        "a-same": ("a {same}",),
        "a-other": ("a {other}",),
    }
