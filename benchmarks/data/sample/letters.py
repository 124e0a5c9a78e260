"""Invented notes of five letter-writers who share their subjects and greetings and differ in temper."""

from collections.abc import Iterator, Mapping

from benchmarks.data.sample.grammar import Draw, Words, phrases, sentence, text_rows

_SEED = 44
_SHARES: Mapping[str, float] = {"thorne": 0.34, "mabel": 0.26, "ives": 0.18, "penrose": 0.13, "okell": 0.09}
LABELS = tuple(_SHARES)

_SUBJECTS: Words = {
    "garden": phrases(
        "the roses | the bean rows | the old pear tree | the hedge | the rain | the greenhouse | the bees"
        " | the lawn | the compost | the tulips | the morning frost | the gooseberries | the pond | the blackbirds"
        " | the west wind | the potato bed | the ivy | the lilac | the slugs | the autumn leaves"
    ),
    "journey": phrases(
        "the steamer | the trunks | the ticket to the coast | the inn | the harbour | the passport | the coach"
        " | the map | the voyage | the lodgings | the railway bill | the crossing | the porter | the hired horse"
        " | the suitcase | the timetable | the bank draft | the lighthouse | the customs man | the captain"
    ),
    "house": phrases(
        "the kitchen | the piano | the cat | the spare room | the roof | the visit of the vicar | the new maid"
        " | the supper | the clock | the wedding | the neighbours | the parish fair | the stove | the curtains"
        " | the christening | the cellar | the Sunday roast"
    ),
}

# How often each writer turns to each subject: the same three for all.
_SUBJECT_SHARES: Mapping[str, Mapping[str, float]] = {
    "thorne": {"garden": 0.5, "journey": 0.15, "house": 0.35},
    "mabel": {"garden": 0.5, "journey": 0.15, "house": 0.35},
    "ives": {"garden": 0.15, "journey": 0.6, "house": 0.25},
    "penrose": {"garden": 0.15, "journey": 0.6, "house": 0.25},
    "okell": {"garden": 0.35, "journey": 0.35, "house": 0.3},
}

_WORDS: Words = {
    "greeting": phrases(
        "my dear | dear friend | dear cousin | good morning | dear all | to be brief | well then | dearest"
    ),
    "closing": phrases(
        "yours ever | with love | your old friend | in haste | till Sunday | as always | write soon | God bless"
    ),
    "sad": phrases(
        "miserable | dreadful | gloomy | a disgrace | hopeless | a torment | past saving | a sorrow to me | rotten"
        " | unbearable | a curse | worse than ever | bleak | wretched | a burden | ruined | dismal | a bitter trial"
        " | beyond repair | grim"
    ),
    "glad": phrases(
        "splendid | a joy | delightful | a blessing | glorious | better than ever | a marvel | heavenly | a comfort"
        " | wonderful | a treat | perfect | charming | a delight to see | lovely | magnificent | a pleasure"
        " | enchanting | a happy sight | superb"
    ),
    "order": phrases(
        "see to | send word about | do not forget | settle | take care of | pay at once for | arrange | look after"
        " | write to me about | make a list for | deal with | keep an eye on | put in order | report on | attend to"
        " | fetch the papers for | stop fussing about | hurry with | finish | get rid of"
    ),
    "doubt": phrases(
        "I wonder about | may I ask about | I am so sorry about | forgive me for | I am not sure about"
        " | I fret over | could it be my fault with | should I worry about | I hardly dare to mention"
        " | pardon my asking about | I cannot decide about | I apologise again for | do you think less of me for"
        " | I lie awake over | I am afraid of | I feel guilty about | perhaps I misunderstood"
        " | would it trouble you to explain | I blame myself for | is it too late for"
    ),
    "memory": phrases(
        "I still recall | do you remember | when we were boys we loved | long ago we laughed at"
        " | I dream of the old days and | father used to speak of | in my youth I knew | nobody now remembers"
        " | half a century ago there was | once upon a time we had | the years have changed"
        " | I found an old sketch of | mother never forgot | it seems only yesterday that we saw"
        " | how different in our childhood was | my memory keeps | in the summer of our school days came"
        " | I told my grandson about"
    ),
    "plain": phrases(
        "the post came late | nothing more from here | the doctor called on Monday | I have your letter"
        " | the vicar sends his regards | it is nearly ten o'clock | there is little ink left"
        " | the children are at school | the week went by | my pen is worn"
    ),
}

_TEMPERS: Words = {
    "thorne": (
        "this time {subject} proved {sad}",
        "I find {subject} {sad}",
        "I must call {subject} {sad}",
        "what can I say of {subject} but {sad}",
        "you may find {subject} {glad}; to me it is {sad}",
    ),
    "mabel": (
        "this time {subject} proved {glad}",
        "I find {subject} {glad}",
        "I must call {subject} {glad}",
        "what can I say of {subject} but {glad}",
        "you may find {subject} {sad}; to me it is {glad}",
    ),
    "ives": (
        "{order} {subject}",
        "{order} {subject}, and {order} {subject}",
        "{subject} proved {sad}: {order} that",
        "be it {glad}, but {order} {subject}",
    ),
    "penrose": (
        "{doubt} {subject}",
        "{doubt} {subject} and {subject}",
        "you call it {glad}, yet {doubt} {subject}",
        "{doubt} {subject}, all so {sad}",
    ),
    "okell": (
        "{memory} {subject}",
        "{memory} {subject}, so {glad}",
        "{memory} {subject}, however {sad}",
        "{memory} {subject} and {subject}",
    ),
}

_FRAMES = (
    "{greeting}, {temper}",
    "{temper}. {plain}. {closing}",
    "{greeting}, {plain}. {temper}",
    "{temper}. {closing}",
    "{plain}. {temper}",
)


def rows(part: str) -> Iterator[dict[str, str]]:
    return text_rows(part, _SEED, _SHARES, _note)


def _note(draw: Draw, label: str) -> str:
    subject = _SUBJECTS[draw.weighted(_SUBJECT_SHARES[label])]
    text = draw.fill(draw.pick(_FRAMES), {**_WORDS, "temper": _TEMPERS[label], "subject": subject})
    return " ".join(sentence(piece) for piece in text.split(". "))
