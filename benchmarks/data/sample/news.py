"""Invented headlines of ten uneven topics, whose people, frames and places wander between topics."""

from collections.abc import Iterator, Mapping

from benchmarks.data.sample.grammar import Draw, Words, phrases, sentence, text_rows

_SEED = 42
_SHARES: Mapping[str, float] = {
    "POLITICS": 0.22,
    "HEALTH": 0.14,
    "ENTERTAINMENT": 0.13,
    "SPORTS": 0.11,
    "BUSINESS": 0.1,
    "TRAVEL": 0.08,
    "FOOD": 0.07,
    "CRIME": 0.06,
    "SCIENCE": 0.05,
    "TECHNOLOGY": 0.04,
}
LABELS = tuple(_SHARES)

_SUBJECTS: Words = {
    "POLITICS": phrases(
        "the election | the new tax bill | the prime minister's speech | a coalition deal | the border vote"
        " | the mayor's campaign | the senate hearing | the referendum | the minority government | the peace treaty"
        " | the ballot count | the opposition | the cabinet reshuffle | the embassy row | the governor's veto"
        " | the swing state | the party convention | the lobby law | the foreign secretary | the parliament debate"
        " | the poll lead | the sanctions | the census fight | the town council seat"
    ),
    "HEALTH": phrases(
        "the flu season | a good night's sleep | the vaccine | back pain | the waiting list for surgery"
        " | childhood asthma | high blood pressure | the nursing shortage | stress at home | a cancer screening"
        " | migraine | the diabetes drug | depression in teenagers | the measles outbreak | hearing loss"
        " | physiotherapy | an allergy to dust | the maternity ward | healthy knees | antibiotics"
        " | the family doctor | a stroke in midlife | insomnia | dementia care"
    ),
    "ENTERTAINMENT": phrases(
        "the pop star's comeback | the season finale | the award show | a superhero sequel | the reality show"
        " | the box office | the album launch | the sitcom reunion | the red carpet | the musical | a film festival"
        " | the leading actress | the boy band | the horror trilogy | the talk show host | the talent contest"
        " | the concert tour | the celebrity wedding | the soap opera | a director's cut | the comedian's special"
        " | the opera premiere | the drummer | the streaming hit"
    ),
    "SPORTS": phrases(
        "the cup final | the young striker | a penalty shoot-out | the marathon | the tennis champion"
        " | the relegation battle | the coach | a record transfer | the home defeat | the sprint relay"
        " | the goalkeeper | the boxing title | the ski jump | the league table | the rowing crew"
        " | the half-time substitution | the gymnast | a photo finish | the rugby squad | the quarterback"
        " | the grand slam | the swimming medal | the cycling tour | the injured captain"
    ),
    "BUSINESS": phrases(
        "the central bank | the share price | a hostile takeover | the car maker's profit | the housing market"
        " | the pension fund | the airline merger | the quarterly loss | interest rates | the supermarket chain"
        " | the start-up investor | the wage deal | the bankrupt retailer | inflation | the stock exchange"
        " | the oil price | the chief executive's bonus | a bond sale | the factory closure | the export boom"
        " | the hedge fund | the credit rating | the dividend | the trade surplus"
    ),
    "TRAVEL": phrases(
        "the island ferry | a weekend in the old town | the night train | the beach resort | the lost suitcase"
        " | the youth hostel | the mountain hut | a honeymoon by the lake | the cheap flight | the desert road trip"
        " | the airport queue | the cruise | the camper van | the city break | the boarding pass | the hidden bay"
        " | the safari lodge | the backpacker trail | the window seat | the guided tour | the passport line"
        " | the jungle cabin | the walking holiday | the hotel pool"
    ),
    "FOOD": phrases(
        "the perfect pancake | sourdough bread | the new bistro | a pot of lentil soup | the spicy noodle"
        " | the cheese counter | grandmother's dumplings | the vegan burger | the pizza oven | a glass of cider"
        " | the lemon tart | the fish stew | the roast potato | pickled cabbage | the tasting menu"
        " | the apple crumble | olive oil | the slow-cooked lamb | the mushroom risotto | a chocolate cake"
        " | the breakfast omelette | garlic butter | the curry house | a jar of jam"
    ),
    "CRIME": phrases(
        "the bank robbery | the missing jewels | the arson trial | the burglar | a forged painting"
        " | the murder inquiry | the drug ring | the stolen lorry | the jury | the kidnapping plot"
        " | the fraud suspect | the getaway driver | the prison break | the hit-and-run | the pickpocket gang"
        " | the shooting | the detective | the blackmail letter | the smuggler | the cold case | the armed raid"
        " | the money launderer | the stabbing | the hacked cash machine"
    ),
    "SCIENCE": phrases(
        "the distant galaxy | a new species of frog | the particle collider | the dinosaur bone | the mars probe"
        " | the melting glacier | the gene for red hair | the oldest cave painting | dark matter | the coral reef"
        " | the volcano | the lunar sample | the honeybee's dance | the fossil forest | the telescope"
        " | the ice core | a quantum riddle | the comet's tail | the neutron star | the deep-sea squid"
        " | the earthquake model | the bacteria | the migrating whales | the black hole"
    ),
    "TECHNOLOGY": phrases(
        "the folding phone | the software update | the chat robot | the password leak | the self-driving car"
        " | the app store | the smart watch | the search engine | a faster chip | the virus scanner"
        " | the cloud outage | the video game console | the laptop battery | the social network | the face scanner"
        " | the open-source project | the home router | the browser | the tablet | the voice assistant"
        " | the data centre | the drone | the operating system | the smart speaker"
    ),
}

# Nobody and nothing here tells the topic: a chef may talk about the election, a senator about soup.
_WORDS: Words = {
    "agent": phrases(
        "a retired striker | a chef | a senator | a nurse | an astronaut | a pop singer | a banker | a detective"
        " | a tour guide | a programmer | a film director | a judge | a waiter | a surgeon | a goalkeeper"
        " | a biologist | an accountant | a pilot | a baker | a minister | a video blogger | a thief"
        " | a tennis coach | a physicist"
    ),
    "place": phrases(
        "in the kitchen | at the stadium | in parliament | at the airport | in hospital | in court"
        " | on the stock market | on stage | in the laboratory | online | at the beach | in the restaurant"
        " | at the bank | in the locker room | in prison | in space"
    ),
    "verdict": phrases(
        "worth the wait | a scandal | a miracle | overrated | a lesson for all of us | our biggest mistake"
        " | good news | bad news | out of control | back again | a mystery | the talk of the town"
        " | nobody's business"
    ),
    "moved": phrases(
        "surprised everyone | divided the country | will be back | made history | came too late | drew a crowd"
        " | caused anger | beat all forecasts | faced new questions | split experts | ran into trouble"
        " | got a second chance | raised hopes"
    ),
    "more": phrases(
        "and why it matters | and what comes next | in five pictures | explained | for beginners | one year later"
        " | what we know so far | this week | and nobody noticed | once more | at last"
    ),
}

# `elsewhere` is what another topic's headlines are about: only its role in the sentence says that this one is not.
_TEMPLATES = (
    "{subject} {moved}",
    "{subject} {moved} {more}",
    "{agent} on {subject}: call it {verdict}",
    "{agent} explains {subject} {more}",
    "why {agent} cannot stop thinking about {subject}",
    "forget {elsewhere}: {subject} {moved}",
    "forget {agent} {place}: {subject} {moved}",
    "what {agent} taught me about {subject}",
    "ask {agent}: will {subject} ever be {verdict}",
    "how {subject} became {verdict} {place}",
    "{subject} {moved}, not {elsewhere}",
    "no joke {place}: {subject} {moved}",
    "{agent} talks of {subject} instead of {elsewhere}",
    "from {subject} to {subject}: {agent} looks back",
)


def rows(part: str) -> Iterator[dict[str, str]]:
    return text_rows(part, _SEED, _SHARES, _headline)


def _headline(draw: Draw, label: str) -> str:
    elsewhere = draw.pick([subjects for topic, subjects in _SUBJECTS.items() if topic != label])
    return sentence(draw.fill(draw.pick(_TEMPLATES), {**_WORDS, "subject": _SUBJECTS[label], "elsewhere": elsewhere}))
