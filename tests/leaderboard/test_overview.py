"""All tasks in one table of each type: win rates, mean ranks, notes."""

from __future__ import annotations

from typing import Any

from records import DATA, cells, done, folds

from benchmarks.leaderboard import tables
from benchmarks.leaderboard.overview import markdown as overview
from benchmarks.schema import RunResult


def test_the_overview_has_systems_by_tasks_with_the_best_in_bold():
    text = overview(
        tables([done("a", score=0.7), done("b", score=0.8), done("a", task="jokes", score=0.6), done("c", score=0.8)])
    )
    films, jokes = "sentiment: films (accuracy)", "sentiment: jokes (accuracy)"
    shown = [tuple(row[name] for name in ("system", "win rate", "mean rank", "tasks", films, jokes))
        for row in cells(text)]  # fmt: skip
    assert shown == [
        ("b", "0.75", "1.5", "1", "**0.8000**", "–"),
        ("c", "0.75", "1.5", "1", "**0.8000**", "–"),
        ("a", "0.00", "3.0", "1", "0.7000", "0.6000"),  # alone on jokes: that is no win
    ]


def test_systems_are_in_order_of_the_win_rate_and_those_run_on_few_tasks_come_last():
    scores = {"first-or-last": (0.9, 0.1), "always-second": (0.8, 0.8), "third": (0.1, 0.7), "fourth": (0.0, 0.9)}
    runs = [done(name, task=task, score=s) for name, pair in scores.items() for task, s in zip("ab", pair, strict=True)]
    runs += [done(name, task="c", score=0.5) for name in ("third", "fourth")] + [done("once", task="c", score=0.9)]
    order = [tuple(row.values())[:4] for row in cells(overview(tables(runs)))]
    assert order == [
        ("always-second", "0.67", "2.0", "2"),
        ("fourth", "0.50", "2.2", "3"),
        ("first-or-last", "0.50", "2.5", "2"),
        ("third", "0.39", "2.5", "3"),
        ("once", "1.00", "1.0", "1"),
    ]


def standing(*runs: RunResult) -> list[tuple[str, ...]]:
    """Of each system of an overview its name, win rate, mean rank and tasks."""
    return [tuple(row.values())[:4] for row in cells(overview(tables(runs)))]


def on(tasks: str, *systems: str, **changes: Any) -> list[RunResult]:
    """Runs of each system on each task, the systems from best to worst, each by a recipe of its own."""
    return [
        done(system, task=task, score=0.9 - number / 10, recipe={"of": system}, **changes)
        for task in tasks.split()
        for number, system in enumerate(systems)
    ]


def test_what_was_tried_on_one_task_moves_no_other_systems_win_rate():
    scores = {"a": 0.9, "b": 0.5, "c": 0.1}
    runs = [done(name, task=task, score=score) for task in ("one", "two", "three") for name, score in scores.items()]
    without = [tuple(row.values())[:4] for row in cells(overview(tables(runs)))]
    tried = [done(f"tried-{score}", task="one", score=score) for score in (0.95, 0.7, 0.3)]
    among = [tuple(row.values())[:4] for row in cells(overview(tables([*runs, *tried])))]
    assert among[:3] == without == [("a", "1.00", "1.0", "3"), ("b", "0.50", "2.0", "3"), ("c", "0.00", "3.0", "3")]
    assert [row[1] for row in among[3:]] == ["1.00", "0.67", "0.33"]  # each among the three alone


def test_systems_on_few_tasks_have_a_table_of_their_own_and_each_table_the_tasks_of_its_systems():
    runs = [done(name, task=task, score=0.5) for name in ("a", "b") for task in ("one", "two", "three")]
    runs += [done("seldom", task="one", score=0.9), done("a", task="four", score=0.123), done("other", task="four")]
    text = overview(tables(runs))
    often, seldom = text.split("Systems that were run on fewer than half of the tasks, and other recipes of those")
    shown = [([row["system"] for row in cells(part)], list(cells(part)[0])[4:]) for part in (often, seldom)]
    assert shown[0] == (["a", "b"], [f"sentiment: {name} (accuracy)" for name in ("four", "one", "three", "two")])
    assert shown[1] == (["seldom", "other"], [f"sentiment: {name} (accuracy)" for name in ("four", "one")])
    scores = [cell for row in cells(text) for name, cell in row.items() if "accuracy" in name and cell != "–"]
    assert len(scores) == len(runs)


def test_a_system_on_exactly_half_of_the_tasks_is_one_that_others_are_measured_by():
    runs = [*on("one two", "a", "b"), done("c", task="one", score=0.99)]
    assert standing(*runs) == [
        ("c", "1.00", "1.0", "1"),
        ("a", "0.75", "1.5", "2"),
        ("b", "0.00", "2.5", "2"),
    ]
    assert "Systems that were run on fewer" not in overview(tables(runs))


def test_of_a_systems_recipes_the_one_that_was_run_on_most_tasks_counts():
    of_x = ("a[encoder=x]", "a[encoder=x,tune=10]")
    runs = on("one two", "a", "a[tune=10]", "b", *of_x)
    alone = standing(*on("one two", "a", "b", of_x[0]))
    assert alone == [("a", "1.00", "1.0", "2"), ("b", "0.50", "2.0", "2"), (of_x[0], "0.00", "3.0", "2")]
    assert standing(*runs) == [*alone, ("a[tune=10]", "0.67", "2.0", "2"), (of_x[1], "0.00", "4.0", "2")]
    more = standing(*runs, *on("three", "a[tune=10]", "b"))
    assert [name for name, *_ in more] == ["a[tune=10]", "b", of_x[0], "a", of_x[1]]


def test_a_variant_beside_a_baseline_makes_no_task_that_counts():
    runs = [*on("one two", "a", "b"), done("c", task="one", score=0.1)]
    without = standing(*runs)
    baseline, variant = on("three", "variant", "a")
    among = standing(*runs, baseline, variant)
    assert among[:3] == without == [("a", "1.00", "1.0", "2"), ("b", "0.25", "2.0", "2"), ("c", "0.00", "3.0", "1")]
    assert among[3] == ("variant", "–", "–", "0")


def test_recipes_on_one_encoder_say_that_they_compare_no_encoders():
    one, other = {"sha256": "a" * 64}, {"sha256": "b" * 64}
    recipe = done("bert-base[encoder=minilm]", encoder=one, recipe={"epochs": 3})
    runs = [done("minilm", encoder=one), recipe, done("majority")]
    said = "have the same one, minilm: x[encoder=minilm] is the recipe of x on it."
    assert said in overview(tables(runs))
    assert said not in overview(tables([*runs, done("bert-base", encoder=other)]))
    assert "the same one" not in overview(tables([done("minilm", encoder=one), done("majority")]))


def test_tasks_with_one_system_make_no_other_systems_few():
    alone = [done(name, task=f"of-{name}") for name in "xyz"]
    assert standing(*on("one", "a", "b"), *alone)[:2] == [("a", "1.00", "1.0", "1"), ("b", "0.00", "2.0", "1")]


def test_where_no_system_was_run_on_half_of_the_tasks_there_is_no_win_rate():
    runs = [*on("one", "a", "b"), *on("two", "c", "d"), *on("three", "e", "f")]
    assert standing(*runs) == [(name, "–", "–", "0") for name in "abcdef"]
    assert "Systems that were run on fewer" not in overview(tables(runs))


def test_real_and_sample_corpora_have_tables_of_each_type_and_notes_in_their_order():
    tags = {"type": "token-classification", "group": "a", "primary_metric": "accuracy"}
    small = {"protocol": {"train_size": 100}}
    runs = [*on("names", "a", "b", **tags, **small), *on("films", "a", "b", **small)]
    runs += [*on("made-names", "a", "b", **tags, sample=True), *on("made-films", "c", "d", sample=True)]
    real, made = overview(tables(runs)).split("\n# Sample corpora (synthetic rows, not results)\n")
    for part, texts, tagged in ((real, "films (accuracy)¹", "names (accuracy)²"), (made, "made-films", "made-names")):
        before, after = part.split("\n## Text classification\n")[1].split("\n## Token classification\n")
        assert texts in before and tagged in after and texts not in after.split("\n## Tasks\n")[0]
    assert "- ¹ films: 100 training rows of 9,775\n\n## Token" in real and "- ² names: 100 training" in real


def test_texts_and_tags_have_a_table_each_and_no_win_rate_is_over_both():
    tags = {"type": "token-classification"}
    runs = [done("both", task=task, score=0.5) for task in ("one", "two")]
    runs += [done("both", task=task, score=0.5, **tags) for task in ("three", "four", "five")]
    runs += [done("other", task=task, score=0.4, **tags) for task in ("three", "four", "five")]
    text = overview(tables([*runs, done("texts", task="one", score=0.9), done("texts", task="two", score=0.9)]))
    texts, tagged = text.split("\n## Text classification\n")[1].split("\n## Token classification\n")
    shown = [[tuple(row.values())[:4] for row in cells(part)] for part in (texts, tagged)]
    assert shown == [
        [("texts", "1.00", "1.0", "2"), ("both", "0.00", "2.0", "2")],
        [("both", "1.00", "1.0", "3"), ("other", "0.00", "2.0", "3")],
    ]
    assert "Systems that were run on fewer" not in text


def test_a_task_without_whole_runs_stands_in_the_overview_with_its_most_rows_and_a_note():
    runs = [done(score=size / 10000, protocol={"train_size": size}) for size in (500, 5000, 1000)]
    text = overview(tables([*runs, done(task="jokes")]))
    assert cells(text)[0]["sentiment: films (accuracy)¹"] == "0.5000"
    assert "- ¹ films: 5,000 training rows of 9,775" in text


def test_notes_are_numbered_in_the_order_of_the_columns_that_have_one():
    small = {"train_size": 100}
    text = overview(tables([done(task="a", protocol=small), done(task="b"), done(task="c", protocol=small)]))
    assert list(cells(text)[0])[4:] == [
        f"sentiment: {name} (accuracy){sign}" for name, sign in zip("abc", ("¹", "", "²"), strict=True)
    ]
    assert "- ¹ a: 100 training rows of 9,775\n- ² c: 100 training rows of 9,775" in text


def test_whole_training_splits_stand_for_a_task_before_anything_else():
    runs = [*folds(0.5, 0.5), done(score=0.7), done(score=0.6, protocol={"train_size": 5000})]
    text = overview(tables(runs))
    assert cells(text)[0]["sentiment: films (accuracy)"] == "0.7000"
    assert "¹" not in text


def test_the_table_that_most_systems_share_stands_for_a_task_and_says_what_it_is():
    small = {"train_size": 5000}
    runs = [done("tfidf-svm", score=0.8), *(done(name, score=0.7, protocol=small) for name in ("tfidf-svm", "minilm"))]
    text = overview(tables(runs))
    column = [row["sentiment: films (accuracy)¹"] for row in cells(text)]
    assert column == ["0.7000", "0.7000"], "where nothing parts two systems, none is bold"
    assert "- ¹ films: 5,000 training rows of 9,775" in text


def test_a_grid_of_one_system_chooses_no_table():
    small = {"train_size": 5000}
    grid = ("tfidf-svm", "minilm", "minilm[epochs=5]", "minilm[tune=10]")
    runs = [done("tfidf-svm"), done("minilm"), *(done(name, score=0.7, protocol=small) for name in grid)]
    runs = [run.model_copy(update={"identity_": {**run.identity_, "recipe": run.system}}) for run in runs]
    pages = tables(runs)
    assert [len(section.rows) for section in pages[0].sections] == [2, 4]
    assert "sentiment: films (accuracy)" in cells(overview(pages))[0]


def test_every_page_is_linked_under_its_group():
    text = overview(tables([done(), done(task="my films", title="Mine", group="ner")]))
    assert "\n\n## Tasks\n\n### ner\n\n- [my films](leaderboards/my%20films.md): Mine (1 table)" in text
    assert "\n\n### sentiment\n\n- [films](leaderboards/films.md): Films, good or bad (1 table)" in text


def test_the_overview_marks_a_task_whose_scores_cannot_be_set_beside_published_ones():
    data = {**DATA, "notes": ["Not comparable with published scores: a subset."]}
    assert "not comparable" not in overview(tables([done()]))
    assert "¹ films: not comparable with published scores, see its page" in overview(tables([done(data=data)]))
