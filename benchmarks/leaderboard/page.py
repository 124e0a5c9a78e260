"""The Markdown of one task's page: what was measured on what, then a table a protocol."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

import pandas as pd

from benchmarks import amounts
from benchmarks.definitions import task_files
from benchmarks.leaderboard import words
from benchmarks.leaderboard.commands import commands
from benchmarks.leaderboard.made import Failed
from benchmarks.leaderboard.rows import Row, parted
from benchmarks.leaderboard.sections import Page, Section, columns
from benchmarks.leaderboard.uncertain import FEWEST_ROWS
from benchmarks.metrics import CLUSTERING_METRIC, METRICS
from benchmarks.schema import seed_and_fold

LEGEND = {
    "interval": "[low, high] is the 95 % interval of the score, over seeds and test rows.",
    "one seed": "Of one seed it holds the luck of the test rows alone.",
    "by chance": "What was trained once is parted from no system: nothing is known of what another seed would give.",
    "few rows": f"Fewer than {FEWEST_ROWS} test rows part no systems.",
    "places": "A rank is a range where a system may have any of these places: above and below it are those alone that "
    "differ significantly (p < 0.05 over seeds and the same test rows, by Holm for all that it is compared with). Each "
    "system's comparisons are corrected by themselves: one may be shown to be below another whose range reaches it.",
    "memory": "Peak memory is that of the process, with what runs before this one left there.",
    "unread": "Without an interval: predictions are not stored; such a system may have any place.",
    "together": "Under folds, a score is that of the predictions of all folds of a seed together, in which each row "
    "is predicted once; the scores of single folds have their mean and standard deviation in a column of their own.",
    "over folds": "† 95 % interval of the mean over the folds of one seed: folds share training rows, so it is "
    "optimistic.",
    "ranked": "{} of folds together is from the folds' scores as they are, though each fold's model has a scale of "
    "its own.",
    "incomplete": "Without a rank: folds are missing, and with them the score of all rows together.",
    "unknown": "Without a score: a run lacks the task's metric, and its stored predictions can't give it: they are not "
    "there, or hold no scores.",
}

SEVERAL_MACHINES = "Times are of several machines or precisions: factors of two or three may be theirs."
CLUSTERINGS = "Clusterings, nothing trained; classes matched to clusters with the gold labels:"


def markdown(page: Page) -> str:
    """The whole page, without a line end after it. Facts that all tables share stand once, above the first."""
    told = [list(facts(section)) for section in page.sections]
    shared = [line for line in told[0] if all(line in lines for lines in told)] if told else []
    parts = ["\n".join([f"# {title(page)}", "", *_bullets([*about(page), *shared])])]
    for name, section, lines in zip(titles(page.sections), page.sections, told, strict=True):
        parts += [f"## {name}", _bullets_text([line for line in lines if line not in shared])]
        parts += [*_tables(section, page.metric), _bullets_text(below(section)), _again(page, section)]
    parts.append(_bullets_text(legend(page)))
    return "\n\n".join(part for part in parts if part)


def title(page: Page) -> str:
    name = words.plain(page.title)
    return f"Sample: {name.removeprefix('Sample: ')}; synthetic rows" if page.sample else name


def _bullets(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _bullets_text(lines: Sequence[str]) -> str:
    return "\n".join(_bullets(lines))


# -- above a table ---------------------------------------------------------------------------------------------------


def about(page: Page) -> Iterator[str]:
    group = f", group {words.code(page.group)}" if page.group else ""
    language = f", language {words.code(page.about['language'])}" if "language" in page.about else ""
    yield f"Task: {words.code(page.task)}{group}{language}"
    if page.metric:
        known = METRICS.get(page.metric)
        yield f"Primary metric: {words.code(page.metric)}{f', {known.summary}' if known else ''}"
    if page.sample:
        yield "The rows are made by a grammar: the scores show that the suite works, and say nothing of real texts."
    if page.about.get("offensive"):
        yield "Warning: the rows of this task hold offensive text."
    for fact, said in {"licence": "Licence of the data", "citation": "Paper", "homepage": "Homepage"}.items():
        if fact in page.about:
            yield f"{said}: {words.linked(page.about[fact])}"
    if "notes" in page.about:
        yield words.plain(page.about["notes"])


def facts(section: Section) -> Iterator[str]:
    """Data, what is wrong with them, hardware and code: one line each."""
    if not section.data:
        return
    yield f"Data: {source(section)}; rows: {_sizes(section)}"
    yield from _used(section)
    yield from (words.plain(note) for note in section.data.get("notes", ()))
    yield from _repeated(section)
    yield from _all_positive(section)
    for device, found in itertools.groupby(section.machines, key=lambda machine: machine.device):
        precisions, processes = zip(*((machine.precision, machine.processes) for machine in found), strict=True)
        known = " and ".join(precision for precision in dict.fromkeys(precisions) if precision)
        ranks = " or ".join(amounts.counted(number, "process") for number in dict.fromkeys(processes))
        yield f"Hardware: {', '.join(filter(None, [words.plain(device), known, ranks]))}"
    if several_machines(section):
        yield SEVERAL_MACHINES
    yield f"Code: encoder-bench {words.listed([words.plain(version) for version in section.versions])}"


def several_machines(section: Section) -> bool:
    """Whether times were taken in different ways; what trains no network computes in no precision."""
    machines = section.machines
    precisions = {machine.precision for machine in machines if machine.precision}
    return len({(machine.device, machine.processes) for machine in machines}) > 1 or len(precisions) > 1


def source(section: Section) -> str:
    """Where the rows are from: 'files train.csv (sha256 2ba7c6da)', 'Hub stanfordnlp/sst2 at 8d51e7e4887a'."""
    data = section.data
    if data["source"] == "files":
        files = [words.plain(f"{path} (sha256 {digest[:8]})") for path, digest in data["sha256"].items()]
        return f"files {words.listed(files)}"
    form = "Hub {} at {:.12}" if data["source"] == "hub" else "embedded sample {}, version {}"
    return words.plain(form.format(section.place, data["revision"]))


def _sizes(section: Section) -> str:
    return ", ".join(f"{split} {count:,}" for split, count in section.data["rows"].items())


def _used(section: Section) -> Iterator[str]:
    """How many rows were trained, validated and tested on, where these are not the whole splits."""
    verbs = {"train": "trained", "validation": "validated", "test": "tested"}
    said = [
        f"{verbs[split]} on {_range(counts)} rows"
        for split, counts in section.used.items()
        if counts and set(counts) != {section.data["rows"].get(split)}
    ]
    if said:
        yield f"Used: {', '.join(said)}{' a fold' if section.protocol.get('folds') else ''}"
    if section.fewer:
        each = [f"{words.code(system)} on {_range(counts)}" for system, counts in section.fewer.items()]
        yield f"Trained on a part of the training rows: {words.listed(each)}"


def _range(counts: Sequence[int]) -> str:
    return "–".join(f"{count:,}" for count in dict.fromkeys((counts[0], counts[-1])))


def _repeated(section: Section) -> Iterator[str]:
    """Copies within the training rows flatter folds alone; the data's notes tell how many there are."""
    if section.protocol.get("folds") and section.data.get("duplicates", {}).get("within", {}).get("train"):
        yield "Folds divide the rows anew: copies of one text may stand in different folds."


def _all_positive(section: Section) -> Iterator[str]:
    """The F1 of a system that reads nothing: `majority` has none where the positive class is the smaller one."""
    folds = [run.positives for run in section.rows[0].made[0]] if section.rows else []
    counts = [own for own in folds if own]
    if counts and len(counts) == len(folds):
        rows, of = (sum(count) for count in zip(*((own.rows, own.of) for own in counts), strict=True))
        yield f"To call every test row {words.code(counts[0].label)} gives F1 {2 * rows / (rows + of):.4f}"


# -- a table ---------------------------------------------------------------------------------------------------------


def titles(sections: Sequence[Section]) -> list[str]:
    """The protocol, and where tables share one, what is different: never only the reader's guess."""
    return [" · ".join([words.protocol(section.protocol), *_difference(section, sections)]) for section in sections]


def _difference(section: Section, sections: Sequence[Section]) -> Iterator[str]:
    alike = [other for other in sections if other.protocol == section.protocol and other is not section]
    if any(other.conditions.data != section.conditions.data for other in alike):
        same_words = any(source(other) == source(section) for other in alike)
        yield f"{source(section)}{f' (data {section.conditions.data[:8]})' if same_words else ''}"
    if any(other.conditions.task != section.conditions.task for other in alike):
        yield f"task as defined on {section.newest[:10]} (definition {section.conditions.task[:8]})"
    if any(other.conditions.code != section.conditions.code for other in alike):
        yield f"code protocol {section.conditions.code}"


def _tables(section: Section, metric: str | None) -> Iterator[str]:
    if section.rows and metric is not None:
        yield _table(section.rows, section, metric)
    if section.clusterings:
        yield CLUSTERINGS
        yield _table(section.clusterings, section, CLUSTERING_METRIC)
    if not section.data:
        yield "No run is done."


def _table(rows: Sequence[Row], section: Section, metric: str) -> str:
    records = [_cells(row, section, metric) for row in rows]
    frame = pd.DataFrame.from_records(records)
    kept = frame.loc[:, (frame != words.NOTHING).any() | frame.columns.isin(list(frame.columns[:3]))]
    return as_markdown(kept, left=("system",))


def as_markdown(frame: pd.DataFrame, left: Sequence[str]) -> str:
    """A table of texts, as they are; the columns named are aligned to the left, the others to the right."""
    sides = ["left" if column in left else "right" for column in frame.columns]
    return str(frame.to_markdown(index=False, disable_numparse=True, colalign=sides))


def _cells(row: Row, section: Section, metric: str) -> dict[str, str]:
    _, *also = columns(metric)
    return {
        "rank": words.places(row.rank, row.places),
        "system": words.plain(row.system),
        words.header(metric, section.scheme): _score(row),
        **({"single folds": _single(row)} if section.protocol.get("folds") else {}),
        **{words.header(name, section.scheme): _number(row.metrics.get(name)) for name in also},
        "train time": _amount(amounts.duration, row.train_seconds),
        "peak memory": _amount(amounts.size, row.peak_memory_mb and row.peak_memory_mb * 2**20),
        "parameters": _amount(words.parameters, row.parameters),
        **seeds_of(row, section.protocol.get("folds")),
    }


def _number(value: float | None) -> str:
    return words.NOTHING if value is None else f"{value:.4f}"


def _amount(worded: Callable[[float], str], value: float | None) -> str:
    return words.NOTHING if value is None else worded(value)


def _score(row: Row) -> str:
    if row.interval is None:
        return _number(row.score)
    low, high = row.interval
    return f"{_number(row.score)} {words.interval(low, high)}"


def _single(row: Row) -> str:
    if row.single is None:
        return words.NOTHING
    mean, sd, half_width = row.single
    interval = f" ± {half_width:.4f} †" if half_width else ""
    return f"{_number(mean)}{interval}{'' if sd is None else f' (sd {sd:.4f})'}"


def seeds_of(row: Row, folds: int | None) -> dict[str, str]:
    if folds is None:
        return {"seeds": str(row.seeds)}
    return {"folds × seeds": f"{folds} × {row.seeds}" if row.complete else f"{row.runs} of {folds} × {row.seeds}"}


# -- below a table ---------------------------------------------------------------------------------------------------


def below(section: Section) -> list[str]:
    """What a reader of the table must know, and what is stored but not in it."""
    tied = sum(row.rank is not None for row in section.rows) > 1 and not parted(section.rows)
    lines = ["No system is shown to be better than any other."] if tied else []
    lines += [f"{words.plain(name)}: the same runs as {words.plain(twin)}" for name, twin in section.twins.items()]
    if section.left_out:
        which = words.listed([f"{words.plain(system)} {count}" for system, count in section.left_out.items()])
        lines.append(f"{amounts.counted(sum(section.left_out.values()), 'older run')} made otherwise left out: {which}")
    for system, count in section.unfinished.items():
        lines.append(f"{words.plain(system)}: {amounts.counted(count, 'fold')} of unfinished seeds left out")
    lines += [_at_thresholds(row) for row in section.rows if row.made and row.made[0][0].threshold is not None]
    lines += [_tuned(row) for row in section.rows if row.made and row.made[0][0].tuning]
    for row in (*section.rows, *section.clusterings):
        if row.untold:
            lines.append(f"{words.plain(row.system)}: no score of all folds together: {row.untold}")
    if section.failures:
        which = words.listed([_failure(failure) for failure in section.failures], "; ")
        lines.append(f"{amounts.counted(len(section.failures), 'run')} failed: {which}")
    return lines


def made_by(page: Page, section: Section) -> list[str]:
    """The commands that make the table's runs; none begins with what a stranger's name says. A task that isn't the
    suite's has a file of its own.
    """
    if not section.data:
        return []
    ours = section.data["source"] == "sample" or page.task in task_files()
    return [words.readable(command) for command in commands(page.task if ours else f"./{page.task}.yaml", section)]


def _again(page: Page, section: Section) -> str:
    lines = "\n".join(made_by(page, section))
    return f"Made again by:\n\n```console\n{lines}\n```" if lines else ""


def _at_thresholds(row: Row) -> str:
    """What the ranking gives at the threshold that was chosen on validation rows, and at any."""
    chosen, best, area = (_number(row.metrics.get(name)) for name in ("f1", "best_f1", "roc_auc"))
    return words.plain(
        f"{row.system}: F1 of the positive class {chosen} at the threshold from validation rows, {best} at the best "
        f"one, chosen on the test rows themselves; ROC AUC {area}"
    )


def _tuned(row: Row) -> str:
    """How the recipes were chosen, and which, by how many runs each, the most frequent first."""
    runs = [run.tuning for folds in row.made for run in folds if run.tuning]
    tried, rows = (_range(sorted(run[name] for run in runs)) for name in ("tried", "validation_rows"))
    failed = sum(run["failed"] for run in runs)
    took = amounts.duration(fmean(run["seconds"] for run in runs))
    chosen = Counter(", ".join(f"{k} {v}" for k, v in run["chosen"].items()) or "its own" for run in runs)
    said = [f"{recipe} ({amounts.counted(count, 'run')})" for recipe, count in chosen.most_common()]
    lost = f", {failed} of which failed" if failed else ""
    searched = f"the best of {tried} recipes{lost} by {runs[0]['metric']} on {rows} validation rows"
    return words.plain(
        f"{row.system}: each run has {searched}; the search took {took} a run, beside its train time: "
        f"{words.listed(said, '; ')}"
    )


def _failure(failure: Failed) -> str:
    slot = failure.slot
    return words.plain(f"{slot.system} {seed_and_fold(slot.seed, slot.fold)}: {words.shortened(failure.said)}")


def legend(page: Page) -> list[str]:
    """The lines of LEGEND that the tables need."""
    tables = [table for section in page.sections for table in (section.rows, section.clusterings)]
    marks = {mark for table in tables for row in table for mark in _marks(row, table)}
    of_folds = [row.metrics for section in page.sections if section.protocol.get("folds") for row in section.rows]
    ranked = [name for name in _from_scores(page) if any(name in metrics for metrics in of_folds)]
    marks |= {mark for mark, there in (("together", any(of_folds)), ("ranked", ranked)) if there}
    heads = " and ".join(words.header(name, "") for name in ranked)
    return [line.format(heads) for mark, line in LEGEND.items() if mark in marks]


def _from_scores(page: Page) -> list[str]:
    """The metrics of its columns that hard predictions are not enough for."""
    return [name for name in columns(page.metric or "") if name in METRICS and METRICS[name].needs_scores]


def _marks(row: Row, table: Sequence[Row]) -> Iterator[str]:
    if row.interval:
        yield from ("interval", *(["one seed"] if row.seeds == 1 else []), *(["by chance"] if row.by_chance else []))
    if row.places and len(row.places) > 1:
        yield "places"
        yield from ["few rows"] if sum(run.data["used"]["test"] for run in row.made[0]) < FEWEST_ROWS else []
    if row.peak_memory_mb:
        yield "memory"
    if row.rank is not None and row.interval is None and any(other.interval for other in table):
        yield "unread"
    if row.single and row.single.half_width:
        yield "over folds"
    if not row.complete:
        yield "incomplete"
    elif row.score is None and not row.untold:
        yield "unknown"
