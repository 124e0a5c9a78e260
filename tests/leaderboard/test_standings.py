"""Leaderboards say how sure they are: intervals over seeds and rows, ranks as ranges, and what is kept of samples."""

from __future__ import annotations

import os
import re

import numpy as np
import pandas as pd
import pytest
from kept import ROWS, Kept, flipped
from records import cells
from scipy.stats import binomtest

from benchmarks.errors import UserError
from benchmarks.leaderboard import read, write
from benchmarks.leaderboard.across import columns
from benchmarks.leaderboard.boards import boards
from benchmarks.leaderboard.uncertain import Sampled, Standings


def interval(cell: str) -> tuple[float, float]:
    low, high = re.fullmatch(r"(?:[\d.]+ )?\[([\d.]+), ([\d.]+)\]", cell).groups()
    return float(low), float(high)


@pytest.fixture
def kept(tmp_path) -> Kept:
    """Of two seeds: good and twin, wrong in one or two rows each; poor, wrong in a third of them."""
    kept = Kept(tmp_path)
    for seed in (0, 1):
        kept.run("good", flipped(kept.gold, *range(2 - seed)), seed)
        kept.run("twin", flipped(kept.gold, *range(4, 5 + seed)), seed)
        kept.run("poor", flipped(kept.gold, 1, *range(30, 50 + seed)), seed)
    return kept


def rows(kept: Kept) -> dict[str, dict[str, str]]:
    return {row["system"]: row for row in cells(write(kept.results).texts["mine"])}


# -- intervals and places --------------------------------------------------------------------------------------------


def test_systems_that_do_not_differ_share_their_places(kept):
    assert {name: row["rank"] for name, row in rows(kept).items()} == {"good": "1–2", "twin": "1–2", "poor": "3"}
    text = write(kept.results).texts["mine"]
    assert "A rank is a range where a system may have any of these places" in text
    assert "[low, high] is the 95 % interval of the score, over seeds and test rows." in text
    assert "Of one seed" not in text


def test_the_interval_of_one_seed_is_that_of_its_rows(tmp_path):
    kept = Kept(tmp_path)
    kept.run("good", flipped(kept.gold, *range(12)))
    low, high = interval(rows(kept)["good"]["accuracy"])
    expected = binomtest(ROWS - 12, ROWS).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.005)
    assert "Of one seed it holds the luck of the test rows alone." in write(kept.results).texts["mine"]


def test_what_was_trained_once_is_parted_from_no_system(kept):
    """Of what has no luck, one run is all that there is to know."""

    def trained(job):
        job.meter.trainable_parameters = 3
        return job.predictions(flipped(kept.gold, *range(40)).tolist())

    kept.run("once", trained)
    kept.run("never", flipped(kept.gold, *range(40)))
    found = rows(kept)
    assert {name: row["rank"] for name, row in found.items()} == {
        "good": "1–3", "twin": "1–3", "poor": "3–4", "once": "1–5", "never": "4–5"
    }  # fmt: skip
    assert "What was trained once is parted from no system" in write(kept.results).texts["mine"]


def test_fewer_than_ten_rows_part_no_systems(tmp_path):
    kept = Kept(tmp_path, rows=8)
    for seed in (0, 1, 2):
        kept.run("right", kept.gold, seed)
        kept.run("wrong", 1 - kept.gold, seed)
    assert {row["rank"] for row in rows(kept).values()} == {"1–2"}
    assert "Fewer than 10 test rows part no systems." in write(kept.results).texts["mine"]


def test_a_system_whose_samples_are_not_defined_moves_no_other():
    draw = np.random.default_rng(0)
    values = {"a": [0.8, 0.81, 0.79], "b": [0.8, 0.79, 0.81], "none": [0.5, 0.5, 0.5]}
    sampled = {name: Sampled(100, 100, tuple(own), draw.normal(0.8, 0.03, (200, 3))) for name, own in values.items()}
    sampled["none"] = Sampled(100, 100, (0.5, 0.5, 0.5), np.full((200, 3), np.nan))
    standings = Standings.of(values, sampled, "average_precision")
    assert standings.systems == ("a", "b")
    assert standings.places(1) == {"a": range(1, 4), "b": range(1, 4)}


def test_seeds_that_differ_make_the_interval_wider(tmp_path):
    kept = Kept(tmp_path)
    for seed, wrong in enumerate((2, 12, 22)):
        kept.run("unsteady", flipped(kept.gold, *range(wrong)), seed)
        kept.run("steady", flipped(kept.gold, *range(seed, 12 + seed)), seed)
    widths = {name: np.diff(interval(row["accuracy"]))[0] for name, row in rows(kept).items()}
    assert widths["unsteady"] > 2 * widths["steady"]


def test_folds_have_an_interval_over_the_rows_of_all_of_them(tmp_path):
    kept = Kept(tmp_path, rows=40)
    for fold in range(2):

        def method(job):
            gold = np.array(job.data.test["label"])
            return job.predictions([int(1 - g if i % 5 == 0 else g) for i, g in enumerate(gold)])

        kept.run("good", method, folds=2, fold=fold)
    low, high = interval(rows(kept)["good"]["accuracy"])
    expected = binomtest(32, 40).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.01)


def test_a_system_whose_predictions_are_gone_may_have_any_place(kept):
    next(kept.results.glob("runs/mine/twin/seed1*.parquet")).unlink()
    found = rows(kept)
    assert {name: row["rank"] for name, row in found.items()} == {"good": "1–2", "twin": "1–3", "poor": "2–3"}
    assert "[" not in found["twin"]["accuracy"]
    assert "Without an interval: predictions are not stored" in write(kept.results).texts["mine"]


def test_predictions_that_cannot_give_the_metric_leave_its_scores_without_intervals(tmp_path):
    kept = Kept(tmp_path, metric="average_precision")
    scores = np.stack([np.zeros(ROWS), kept.gold + np.linspace(-1, 1, ROWS)], axis=1)
    kept.run("ranks", kept.gold, scores=scores)
    kept.run("hard", kept.gold)
    found = rows(kept)
    assert "[" in found["ranks"]["AP"]
    assert (found["hard"]["rank"], found["hard"]["AP"]) == ("–", "–")


def test_a_range_of_places_holds_the_true_place_95_times_in_100():
    """Five systems of known scores, two of them equal, in 400 tables of 3 seeds and 300 rows."""
    draw, truths, seeds, count = np.random.default_rng(0), np.array([0.9, 0.85, 0.8, 0.8, 0.7]), 3, 300
    places = {"0": {1}, "1": {2}, "2": {3, 4}, "3": {3, 4}, "4": {5}}
    held = []
    for _ in range(400):
        values, sampled = {}, {}
        easy = draw.normal(0, 0.3, count)
        for name, truth in enumerate(truths):
            right = truth + 0.01 * draw.normal(size=(seeds, 1)) + easy > draw.normal(0.5, 0.3, (seeds, count))
            weights = np.random.default_rng(1).poisson(1, (200, count))
            scores = right.mean(axis=1).tolist()
            values[str(name)] = scores
            of_samples = weights @ right.T / weights.sum(axis=1, keepdims=True)
            sampled[str(name)] = Sampled(count, count, tuple(scores), of_samples)
        standings = Standings.of(values, sampled, "accuracy")
        held.append([bool(places[name] & set(may_be)) for name, may_be in standings.places(0).items()])
    assert (np.mean(held, axis=0) > 0.935).all()


def test_what_is_said_of_the_first_is_what_its_own_differences_say(tmp_path):
    """A system below it that no third one is shown to be better than may still be shown to be worse than the first."""
    kept = Kept(tmp_path, rows=200)
    for seed in (0, 1, 2):
        kept.run("first", flipped(kept.gold, *range(seed, 20 + seed)), seed)
        kept.run("near", flipped(kept.gold, *range(10, 36 + seed)), seed)
        kept.run("far", flipped(kept.gold, *range(80 + seed)), seed)
    (column,) = columns(read(kept.results))
    assert column.first.endswith("may be the best, too: near")
    next(kept.results.glob("runs/mine/near/seed1*.parquet")).unlink()
    (column,) = columns(read(kept.results))
    assert column.first.endswith("not compared with near, whose predictions are not stored")


def test_where_nothing_parts_the_systems_none_is_marked_and_the_page_says_so(tmp_path):
    kept = Kept(tmp_path)

    def trained(wrong: int):
        def method(job):
            job.meter.trainable_parameters = 3
            return job.predictions(flipped(kept.gold, *range(wrong)).tolist())

        return method

    kept.run("good", trained(1))
    kept.run("poor", trained(40))
    written = write(kept.results)
    assert "- No system is shown to be better than any other." in written.texts["mine"]
    assert "**" not in "".join(cells((kept.results / "LEADERBOARD.md").read_text())[0].values())
    (column,) = columns(read(kept.results))
    assert column.first.endswith("no system is shown to be better than any other")
    for seed in (0, 1, 2):
        kept.run("good", flipped(kept.gold, seed), seed)
        kept.run("poor", flipped(kept.gold, *range(40 + seed)), seed)
    (column,) = columns(read(kept.results))
    assert column.first.endswith("; poor is shown not to be the best")
    for count, said in ((2, "both others are"), (3, "all 3 others are")):
        for seed in (0, 1, 2):
            kept.run(f"poor {count}", flipped(kept.gold, *range(10, 50 + seed)), seed)
        (column,) = columns(read(kept.results))
        assert column.first.endswith(f"; {said} shown not to be the best")
    assert "No system is shown" not in write(kept.results).texts["mine"]


# -- all tasks -------------------------------------------------------------------------------------------------------


def test_the_overview_has_intervals_and_what_does_not_differ_from_the_best_is_bold(kept):
    write(kept.results)
    found = {row["system"]: row for row in cells((kept.results / "LEADERBOARD.md").read_text())}
    column = "mine: mine (accuracy)"
    assert [found[name][column][:10] for name in ("good", "twin", "poor")] == ["**0.9750**", "**0.9750**", "0.6417 [0."]
    assert (found["good"]["win rate"], found["good"]["mean rank"]) == ("0.75 [0.50, 1.00]", "1.5 [1.0, 2.0]")
    assert found["poor"]["win rate"] == "0.00 [0.00, 0.00]"


def test_a_system_on_few_tasks_has_intervals_and_moves_those_of_no_other(tmp_path):
    tasks = [Kept(tmp_path, name=name) for name in ("one", "two", "three")]
    for seed in (0, 1):
        for kept in tasks:
            kept.run("good", flipped(kept.gold, *range(8 + seed)), seed)
            kept.run("near", flipped(kept.gold, *range(20, 30 + seed)), seed)
            kept.run("poor", flipped(kept.gold, *range(30 + seed)), seed)
    (before,) = boards(read(tmp_path / "results"))
    for seed in (0, 1):
        tasks[0].run("tried", flipped(tasks[0].gold, *range(10, 19)), seed)
        tasks[0].run("worst", flipped(tasks[0].gold, *range(50 + seed)), seed)
    tasks[0].run("without", flipped(tasks[0].gold, *range(10, 19)))
    next((tmp_path / "results" / "runs" / "one" / "without").glob("*.parquet")).unlink()
    (after,) = boards(read(tmp_path / "results"))
    known = {one.system: one for one in after.standings}
    assert {name for name, one in known.items() if one.aside} == {"tried", "worst", "without"}
    for one in before.standings:
        now = known[one.system]
        assert (now.win_rate, now.mean_rank) == (one.win_rate, one.mean_rank)
        assert now.win_rates is not None
    assert known["worst"].mean_ranks == (4.0, 4.0)  # beside the three alone
    low, high = known["tried"].mean_ranks
    assert 1 <= low < high < 4
    assert known["without"].win_rates is None


# -- training sizes --------------------------------------------------------------------------------------------------


@pytest.fixture
def sized(tmp_path) -> Kept:
    """A system that learns from more rows and one that doesn't, at two sizes and at all rows."""
    kept = Kept(tmp_path, rows=400)
    for size, wrong in ((50, 120), (100, 80), (None, 40)):
        for seed in (0, 1, 2):
            kept.run("learns", flipped(kept.gold, *range(seed, wrong + seed)), seed, train_size=size)
            kept.run("stays", flipped(kept.gold, *range(150)), seed, train_size=size)
    kept.run("once", kept.gold, 0, train_size=50)
    return kept


def test_a_page_has_learning_curves_with_intervals_and_what_twice_the_rows_may_give(sized):
    text = write(sized.results).texts["mine"]
    found = {row["system"]: row for row in cells(text.split("## Learning curves")[1])}
    assert list(found) == ["learns", "stays"]
    assert list(found["learns"]) == ["system", "50", "100", "400", "last step", "twice the rows"]
    assert [found["learns"][size][:6] for size in ("50", "100", "400")] == ["0.7000", "0.8000", "0.9000"]
    assert found["learns"]["last step"].startswith("+0.10")
    low, high = interval(found["learns"]["twice the rows"])
    assert 0.88 < low < 0.93 < high < 0.96  # the error halves with four times the rows: 0.071
    assert found["learns"]["twice the rows"].startswith("0.9")
    assert found["stays"]["last step"] == "+0.000 [+0.000, +0.000]"


def test_of_two_sizes_the_law_gives_an_interval_alone(sized):
    """Its middle would be of two humps, level from now on and rising without end, and lie in either by chance."""
    for path in sized.results.rglob("*train-50_*"):
        path.unlink()
    found = {row["system"]: row for row in cells(write(sized.results).texts["mine"].split("## Learning curves")[1])}
    assert found["learns"]["twice the rows"].startswith("[0.8")
    (law,) = pd.read_csv(sized.results / "curves.csv").query("system == 'learns' and kind == 'power law'").itertuples()
    assert pd.isna(law.score) and law.low < 0.91 < law.high


def test_sizes_before_a_system_begins_to_learn_are_no_part_of_its_law(sized):
    for size, wrong in ((25, 200), (50, 200), (100, 200), (200, 180), (None, 20)):
        for seed in (0, 1, 2):
            sized.run("late", flipped(sized.gold, *range(seed, wrong + seed)), seed, train_size=size)
    text = write(sized.results).texts["mine"]
    found = {row["system"]: row for row in cells(text.split("## Learning curves")[1])}["late"]
    assert found["400"].startswith("0.95")
    low, high = interval(found["twice the rows"])
    assert low > 0.92 and high > 0.98


def test_curves_are_data_for_plots(sized):
    write(sized.results)
    points = pd.read_csv(sized.results / "curves.csv")
    measured = points[(points.system == "learns") & (points.kind == "measured")]
    assert measured.train_rows.tolist() == [50, 100, 400]
    assert measured.score.tolist() == pytest.approx([0.7, 0.8, 0.9])
    assert (measured.low < measured.score).all() and (measured.score < measured.high).all()
    (beyond,) = points[(points.system == "learns") & (points.kind == "power law")].train_rows
    assert beyond == 800


def test_a_size_that_is_the_whole_split_is_one_point_of_a_curve(sized):
    for seed in range(4):
        wrong = 60 if seed else 40
        sized.run("stays", flipped(sized.gold, *range(wrong)), seed, train_size=400)
        if seed < 3:
            sized.run("learns", flipped(sized.gold, *range(200)), seed, train_size=400)
            sized.run("only", flipped(sized.gold, *range(30)), seed)
            sized.run("only", flipped(sized.gold, *range(30)), seed, train_size=400)
    found = {row["system"]: row for row in cells(write(sized.results).texts["mine"].split("## Learning curves")[1])}
    assert list(found["learns"]) == ["system", "50", "100", "400", "last step", "twice the rows"]
    assert found["learns"]["400"].startswith("0.9000") and found["learns"]["last step"].startswith("+0.10")
    assert found["stays"]["400"].startswith("0.8625"), "of more seeds"
    assert list(found) == ["learns", "stays"], "one size twice is no curve"
    points = pd.read_csv(sized.results / "curves.csv")
    assert points[(points.system == "learns") & (points.kind == "measured")].train_rows.tolist() == [50, 100, 400]


def test_a_system_that_trains_on_a_fixed_number_of_rows_has_no_curve(sized):
    def of_sixteen(job):
        job.meter.note(trained_rows=20 if len(job.data.train) > 100 else 16)
        return job.predictions(flipped(sized.gold, *range(90)).tolist())

    for size in (50, 100):
        sized.run("few", of_sixteen, train_size=size)
    assert "few" not in write(sized.results).texts["mine"].split("## Learning curves")[1]
    sized.run("few", of_sixteen)
    found = {row["system"]: row for row in cells(write(sized.results).texts["mine"].split("## Learning curves")[1])}
    assert [found["few"][size] != "–" for size in ("50", "100", "400")] == [True, False, True]


def test_one_size_is_no_curve(kept):
    assert "Learning curves" not in write(kept.results).texts["mine"]
    assert not (kept.results / "curves.csv").exists()


# -- what is kept ----------------------------------------------------------------------------------------------------


def test_predictions_are_read_once(kept):
    before = rows(kept)
    assert any("[" in row["accuracy"] for row in before.values())
    for path in kept.results.rglob("*.parquet"):
        content, stat = path.read_bytes(), path.stat()
        path.write_bytes(content[:4] + bytes(40) + content[44:])
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as it was, and whoever reads the rows fails
    assert rows(kept) == before
    path.touch()
    with pytest.raises(UserError, match=r"\.parquet: no stored predictions"):
        write(kept.results)
    assert (kept.results / ".cache" / ".gitignore").read_text() == "*\n"


def test_a_run_that_is_new_or_made_again_is_read(kept):
    before = rows(kept)
    kept.run("good", flipped(kept.gold, *range(20)), 0)
    kept.run("late", flipped(kept.gold, 7), 0)
    after = rows(kept)
    assert interval(after["good"]["accuracy"])[0] < interval(before["good"]["accuracy"])[0] - 0.1
    assert "[" in after["late"]["accuracy"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"no archive"])
def test_a_torn_file_of_samples_is_made_anew(kept, content):
    before = rows(kept)
    (path,) = kept.results.glob(".cache/*.npz")
    whole = path.read_bytes()
    path.write_bytes(content or whole[: len(whole) // 2])
    assert rows(kept) == before
    assert path.stat().st_size == len(whole)


def test_what_is_kept_gives_the_same_tables_as_what_is_made(kept):
    write(kept.results)
    made = (kept.results / "LEADERBOARD.md").read_text()
    kept.run("late", flipped(kept.gold, 7), 0)
    write(kept.results)
    for path in kept.results.glob("runs/mine/late/*"):
        path.unlink()
    write(kept.results)
    assert (kept.results / "LEADERBOARD.md").read_text() == made


def test_tasks_of_which_one_has_samples_without_a_score_stand_in_one_overview(tmp_path):
    """In a sample of few rows there may be no positive one, and with it no average precision."""
    draw = np.random.default_rng(0)
    for name, rows in (("few", 12), ("many", 60)):
        kept = Kept(tmp_path, metric="average_precision", rows=rows, name=name)
        for system, noise in (("good", 0.2), ("poor", 2.0)):
            values = kept.gold + draw.normal(0, noise, rows)
            kept.run(system, kept.gold, scores=np.stack([np.zeros(rows), values], axis=1))
    write(tmp_path / "results")
    found = {row["system"]: row for row in cells((tmp_path / "results" / "LEADERBOARD.md").read_text())}
    assert found["good"]["win rate"].startswith("1.00 [")
    assert found["good"]["tasks"] == "2"
