"""Invented comments on invented peoples: only an insult that the writer aims at a people is hateful."""

from collections.abc import Iterator, Mapping

from benchmarks.data.sample.grammar import Draw, Words, phrases, sentence, text_rows

_SEED = 43
_SHARES: Mapping[str, float] = {"not-hateful": 0.7, "hateful": 0.3}
LABELS = tuple(_SHARES)

_WORDS: Words = {
    "group": phrases(
        "Blorvans | Quindles | Tarnish folk | Wobblers | Zennites | Murkles | Pfennings | Grolls | Ostrians"
        " | Hazzards | Dribnians | Lumpets | Yorrels | Crandites | Veebles | Snorvians | Mottlers | Kipplings"
        " | Drozzers | Ulmians | Fennocks | Brindlings"
    ),
    "insult": phrases(
        "lazy | stupid | greedy | rude | sneaky | dishonest | smelly | useless | worthless | cowardly | dim"
        " | ignorant | filthy | disgusting | selfish | mean | foolish | crooked | nasty | idle | brainless"
        " | shameless | untrustworthy | savage | pathetic | vile | spineless | ill-mannered | mindless | cruel"
        " | rotten | two-faced | repulsive | arrogant | gutless"
    ),
    "praise": phrases(
        "kind | clever | generous | polite | honest | hard-working | brave | friendly | decent | warm-hearted"
        " | fair | gentle | thoughtful | reliable | funny | patient | loyal | wise | helpful | cheerful | charming"
        " | modest | noble | trustworthy"
    ),
    "reject": phrases(
        "do not belong here | ruin every town they come to | should be kept out | spoil every feast"
        " | must never be allowed to vote | should go back where they came from | make me sick | deserve nothing"
        " | bring nothing but trouble | are beneath us | steal from their own mothers"
        " | cannot be trusted with a spoon | should be sent away | are the shame of this country"
        " | poison everything they touch | have no place in our street | lie whenever they open their mouths"
        " | are a plague | cheat at every game | must be driven from the market | never wash"
        " | would sell their friends for a coin | should be locked in their cellars | infest the whole valley"
        " | are good for nothing"
    ),
    "welcome": phrases(
        "are welcome at our table | have every right to live here | do belong here | made this town richer"
        " | should be let in | are our neighbours | must be allowed to vote | opened a fine bakery"
        " | helped us through the flood | keep their word | celebrate their harvest today"
        " | are people like all of us | teach my children to swim | share their last loaf"
        " | keep the night buses running | deserve a fair hearing | lend a hand when one is needed"
        " | have my respect | sing at every wedding | repaired the old bridge | care for the sick"
        " | are a gift to this valley | look after their parents | planted trees along our street"
        " | saved my brother's life"
    ),
    "thing": phrases(
        "bus company | weather | referee | traffic | film | tax office | landlord | soup | mayor | printer"
        " | new road | television show | bank | ticket machine | goalkeeper | timetable | coffee | plumber"
    ),
    "hated": phrases(
        "the {group} are {insult} | those {group} are {insult} and {insult} | the {group} {reject}"
        " | those {group} {reject}"
    ),
    "liked": phrases(
        "the {group} are {praise} | those {group} are {praise} and {praise} | the {group} {welcome}"
        " | those {group} {welcome}"
    ),
    "wrong": phrases(
        "it is wrong to say that | nobody should claim that | only a fool believes that"
        " | I am tired of hearing that | it is simply a lie that | shame on everyone who shouts that"
        " | I used to think, and I was wrong, that | stop telling children that"
        " | there is no truth in the tale that"
    ),
    "right": phrases(
        "I have always said that | wake up, people | everyone knows that | let me tell you | no surprise"
        " | it is a fact that | why deny that | say it loud | my father was right"
    ),
    "tail": phrases(
        "here | if you ask me | as always | every day | and that is that | in our town | these days | to be clear"
        " | once again | full stop"
    ),
}

# The two lists mirror each other: what differs is who is called what, and by whom.
_TEMPLATES: Words = {
    "hateful": (
        "{hated} {tail}",
        "{right}: {hated}",
        "{right}, {hated} {tail}",
        "{hated}, and they {reject}",
        "{right}: {hated} and they {reject}",
        "my {thing} is {praise}, but the {group} next door are {insult}",
        "they call the {group} {praise}, I call them {insult} and {insult}",
        "people say {liked}, but they {reject}",
        "{wrong} {liked}: they {reject}",
        "there is nothing {praise} about the {group} {tail}",
    ),
    "not-hateful": (
        "{liked} {tail}",
        "{right}: {liked}",
        "{right}, {liked} {tail}",
        "{liked}, and they {welcome}",
        "{right}: {liked} and they {welcome}",
        "my {thing} is {insult}, but the {group} next door are {praise}",
        "they call the {group} {insult}, I call them {praise} and {praise}",
        "people say {hated}, but they {welcome}",
        "{wrong} {hated}: they {welcome}",
        "{wrong} {hated} {tail}",
        "there is nothing {insult} about the {group} {tail}",
        "{right}: the {group} deserve better than this {insult} {thing}",
    ),
}


def rows(part: str) -> Iterator[dict[str, str]]:
    return text_rows(part, _SEED, _SHARES, _comment)


def _comment(draw: Draw, label: str) -> str:
    return sentence(draw.fill(draw.pick(_TEMPLATES[label]), _WORDS))
