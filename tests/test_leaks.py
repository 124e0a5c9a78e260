"""A leak is a test row that resembles a row which that run was trained on; pages and the verb tell what leaks do."""

from __future__ import annotations

import random

import make
import numpy as np
import pytest
from kept import Kept, flipped

from benchmarks import excerpts, leaks, unfinished
from benchmarks.cli import main
from benchmarks.data.leaks import leaked, look, missing
from benchmarks.data.near_duplicates import near
from benchmarks.leaderboard import write
from benchmarks.leaks import Closest, Leaks
from benchmarks.schema import Protocol

# -- leaks of a protocol ---------------------------------------------------------------------------------------------


def leaking(tmp_path, train: list[str], test: list[str]) -> Kept:
    """A task whose files hold these texts, labels in turn."""
    path = make.text_task(tmp_path)
    for part, texts in (("train", train), ("test", test)):
        lines = [f"{text},{('negative', 'positive')[i % 2]}" for i, text in enumerate(texts)]
        (tmp_path / "data" / "mine" / f"{part}.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    return Kept(tmp_path, write=lambda folder, **fields: path)


LONG = "where can I see the film of the year with my whole family and the dog"
OTHERS = [f"{word} has nothing to do with any of the {word}s" for word in ("apple", "zebra", "church", "window")]


@pytest.fixture
def four(tmp_path) -> Kept:
    """Of four test rows the first is a training row in other letters, the second almost one."""
    return leaking(tmp_path, [LONG, *OTHERS[:3]], [LONG.upper(), f"{LONG} now", OTHERS[3], "what a day"])


def found_in(kept: Kept, **protocol) -> Leaks:
    alike = near(kept.data.tables.values(), kept.folder / "cache")
    return leaked(kept.data, alike, Protocol(**protocol))


def test_a_leak_names_the_training_row(four):
    found = found_in(four)
    assert (found.train, found.test, found.equal, list(found.rows)) == (4, 4, 1, ["test:0", "test:1"])
    assert found.rows["test:0"] == Closest("train:0", 1.0)
    assert found.rows["test:1"].row_id == "train:0" and 0.8 <= found.rows["test:1"].similarity < 1


def test_a_training_row_that_is_not_trained_on_leaks_nothing(four):
    of_seed = [found_in(four, train_size=2, seed=seed) for seed in range(8)]
    assert {len(found.rows) for found in of_seed} == {0, 2}
    assert {found.train for found in of_seed} == {2}


def test_folds_leak_from_the_other_folds_alone(tmp_path):
    kept = leaking(tmp_path, [LONG, *OTHERS[:2], f"{LONG} now"], ["what a day", "a night"])
    folds = [found_in(kept, folds=2, fold=fold) for fold in (0, 1)]
    assert [(found.train, found.test) for found in folds] == [(2, 2), (2, 2)]
    closest = {row: found.row_id for fold in folds for row, found in fold.rows.items()}
    assert closest == {"train:0": "train:3", "train:3": "train:0"}  # seed 0 divides them
    one_fold = [found_in(kept, folds=2, fold=fold, seed=2) for fold in (0, 1)]  # seed 2 keeps the two together
    assert not any(found.rows for found in one_fold)


def test_seeds_that_draw_nothing_share_one_file_and_others_do_not(four):
    protocols = [Protocol(seed=seed, train_size=size) for size in (None, 2) for seed in (0, 1)]
    found = look(four.results, four.data, protocols, four.folder / "cache")
    assert [(asked.seed, asked.train_size) for asked, _ in found] == [(0, None), (0, 2), (1, 2)]
    assert len(list((four.results / "leaks" / "mine").glob("*.parquet"))) == 3


def test_what_is_stored_is_read_as_it_was_found_and_not_found_again(four, monkeypatch):
    (first,) = look(four.results, four.data, [Protocol()], four.folder / "cache")
    monkeypatch.setattr("benchmarks.data.leaks.near", None)
    assert look(four.results, four.data, [Protocol(seed=3)], four.folder / "cache") == [(Protocol(seed=3), first[1])]
    assert first[1].rows["test:0"] == Closest("train:0", 1.0)


def test_no_leaks_are_stored_too(tmp_path):
    kept = leaking(tmp_path, OTHERS[:2], OTHERS[2:])
    ((_, found),) = look(kept.results, kept.data, [Protocol()], kept.folder / "cache")
    assert found == Leaks(2, 2, {})


@pytest.mark.parametrize("left", [0, 50, -1])
def test_a_torn_file_of_leaks_is_made_anew(four, left):
    (found,) = look(four.results, four.data, [Protocol()], four.folder / "cache")
    (path,) = (four.results / "leaks" / "mine").iterdir()
    path.write_bytes(path.read_bytes()[:left])
    assert leaks.read(path) is None
    assert missing(four.results, four.data, [Protocol()])
    assert look(four.results, four.data, [Protocol()], four.folder / "cache") == [found]
    assert leaks.read(path) == found[1]
    assert not missing(four.results, four.data, [Protocol()])


# -- on a page -------------------------------------------------------------------------------------------------------


def sentences(count: int) -> list[str]:
    """None of which resembles another."""
    draw = random.Random(0)
    return [" ".join("".join(draw.choices("abcdefgh", k=6)) for _ in range(8)) for _ in range(count)]


@pytest.fixture
def scored(tmp_path) -> Kept:
    """Twenty of sixty test rows stand in training: `knows` is right on those alone, `fair` on two of any three."""
    own = sentences(100)
    train, test = own[:60], [*own[:20], *own[60:]]
    kept = leaking(tmp_path, train, test)
    for seed in (0, 1):
        kept.run("knows", flipped(kept.gold, *range(20 + seed, 60)), seed)
        kept.run("fair", flipped(kept.gold, *range(seed, 60, 3)), seed)
    return kept


def part(text: str) -> str:
    return text.split("## Leaks")[1]


def cells(text: str, system: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {system} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_page_sets_the_score_on_clean_rows_beside_that_on_all(scored):
    look(scored.results, scored.data, [Protocol()], scored.folder / "cache")
    text = part(write(scored.results).texts["mine"])
    assert cells(text, "Whole training split") == ["Whole training split", "60", "60", "20 (33.3 %)", "20"]
    knows, fair = cells(text, "knows"), cells(text, "fair")
    assert knows[1:4] == ["0.3417", "0.0125", "1.0000"]  # means of 20 and 21 of 60, of 0 and 1 of 40
    assert fair[1:4] == ["0.6667", "0.6750", "0.6500"]  # of each seed 40 of 60, 27 of 40, 13 of 20
    assert knows[4].startswith("+0.3292 [+0.2") and fair[4].startswith("-0.0083 [-0.")


def test_each_seed_has_the_leaks_of_the_rows_that_it_drew(scored):
    protocols = [Protocol(seed=seed, train_size=30) for seed in (0, 1)]
    found = [leaks for _, leaks in look(scored.results, scored.data, protocols, scored.folder / "cache")]
    assert found[0].rows.keys() != found[1].rows.keys()
    for seed, own in enumerate(found):
        clean = [row for row in range(60) if f"test:{row}" not in own.rows]
        scored.run("knows", flipped(scored.gold, *clean), seed, train_size=30)
    text = part(write(scored.results).texts["mine"]).split("30 training rows:")[1]
    assert cells(text, "knows")[2:4] == ["0.0000", "1.0000"]


def test_where_all_rows_leak_or_few_are_clean_no_difference_is_told(tmp_path):
    for clean, expected in ((0, ["1.0000", "–", "1.0000", "–"]), (1, ["1.0000", "1.0000", "1.0000", "–"])):
        own = sentences(61)
        kept = leaking(tmp_path / str(clean), own[:60], own[clean : clean + 60])
        kept.run("good", kept.gold, 0)
        look(kept.results, kept.data, [Protocol()], kept.folder / "cache")
        assert cells(part(write(kept.results).texts["mine"]), "good")[1:] == expected


def test_a_metric_that_leaked_rows_do_not_define_is_none_of_theirs(tmp_path):
    """Average precision of leaked rows of one class."""
    own = sentences(120)
    leaking(tmp_path, own[:60], [own[i] if i % 2 == 0 and i < 20 else own[60 + i] for i in range(60)])
    path = tmp_path / "mine.yaml"
    path.write_text(path.read_text().replace("metric: accuracy", "metric: average_precision"))
    kept = Kept(tmp_path, write=lambda folder, **fields: path)
    kept.run("good", kept.gold, 0, scores=np.eye(2, dtype=np.float32)[kept.gold])
    look(kept.results, kept.data, [Protocol()], kept.folder / "cache")
    text = part(write(kept.results).texts["mine"])
    assert cells(text, "good")[1:] == ["1.0000", "1.0000", "–", "+0.0000 [+0.0000, +0.0000]"]


def test_a_page_says_where_nobody_has_looked(scored):
    assert part(write(scored.results).texts["mine"]).strip() == (
        "Not looked for in every table: `encoder-bench leaks` does, given the task (its name, or its YAML file)."
    )


def test_leaks_of_other_data_are_not_those_of_a_table(scored):
    look(scored.results, scored.data, [Protocol()], scored.folder / "cache")
    scored.run("fair", scored.gold, 0, train_size=10)
    text = part(write(scored.results).texts["mine"])
    assert "20 (33.3 %)" in text and "Not looked for in every table" in text


# -- the verb --------------------------------------------------------------------------------------------------------


@pytest.fixture
def here(scored, monkeypatch) -> Kept:
    monkeypatch.chdir(scored.folder)
    monkeypatch.setenv("ENCODER_BENCH_CACHE", str(scored.folder / "cache"))
    return scored


def test_the_verb_looks_prints_and_writes_the_pages(here, capsys):
    assert main(["leaks", "./mine.yaml", "--data-dir", "data"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "mine, whole training split: 20 of 60 test rows leak (33.3 %), 20 of them with the same words as a training row"
    ]
    assert "20 (33.3 %)" in (here.results / "leaderboards" / "mine.md").read_text()


def test_leaks_are_stored_while_no_other_process_removes_what_is_half_written(here, monkeypatch):
    save, held = leaks.save, []

    def saving(*given):
        with unfinished._locked(here.results, "leaderboards", wait=False) as free:
            held.append(not free)
        save(*given)

    monkeypatch.setattr(leaks, "save", saving)
    assert main(["leaks", "./mine.yaml", "--data-dir", "data"]) == 0
    assert held == [True]


def test_what_killed_processes_left_of_pages_excerpts_and_reports_is_removed(here):
    left = [
        here.results / name
        for name in (".LEADERBOARD.md-0.part", "leaks/mine/.x-0.part", excerpts.FOLDER / "mine" / ".x-0.part")
    ]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half of it")
    report = here.results / ".report-0.part"
    report.mkdir()
    (report / "index.html").write_text("half of it")
    assert main(["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "majority", "--seeds", "1"]) == 0
    assert not list(here.results.rglob("*.part"))


def test_the_verb_says_which_runs_it_leaves_out_and_shows_what_is_called_alike(here, capsys):
    rows = (here.folder / "data" / "mine" / "test.csv").read_text().splitlines()
    (here.folder / "data" / "mine" / "test.csv").write_text(
        "\n".join([rows[0], f"{rows[1].split(',')[0]}!x,negative", *rows[2:]]) + "\n"
    )
    assert main(["leaks", "./mine.yaml", "--data-dir", "data"]) == 0
    said = capsys.readouterr().out
    assert "not looked at: 4 runs on other data or under another definition of the task" in said
    assert "test:0 and train:0 (0.9" in said and "!x\n" in said


def test_offensive_texts_are_not_shown(here, capsys):
    with (here.folder / "mine.yaml").open("a") as file:
        file.write("offensive: true\n")
    first = (here.folder / "data" / "mine" / "train.csv").read_text().splitlines()[1].split(",")[0]
    (here.folder / "data" / "mine" / "test.csv").write_text(f"text,label\n{first} x,negative\n")
    assert main(["leaks", "./mine.yaml", "--data-dir", "data"]) == 0
    said = capsys.readouterr().out
    assert "1 of 1 test rows leak" in said and first not in said


def test_runs_of_a_task_that_the_suite_does_not_declare_are_said_to_be_left_out(here, capsys):
    folder = here.results / "runs" / "mit-movie" / "x"
    folder.mkdir(parents=True)
    (folder / "seed0.json").touch()
    assert main(["leaks", "--data-dir", "data"]) == 2
    assert "mine: left out: no task of the suite; name its YAML file" in capsys.readouterr().out


def test_leaderboards_are_there_before_leaks_are_looked_for(here, capsys, monkeypatch):
    def interrupted(*given):
        raise KeyboardInterrupt

    command = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "majority", "--seeds", "1"]
    with monkeypatch.context() as patch:
        patch.setattr("benchmarks.data.leaks.near", interrupted)
        assert main(command) == 130
    assert "1 run made and stored, none left; `encoder-bench leaks` looks for leaks" in capsys.readouterr().out
    assert "| majority " in (here.results / "leaderboards" / "mine.md").read_text()
    assert main([*command[:-1], "2"]) == 0
    assert "20 (33.3 %)" in (here.results / "leaderboards" / "mine.md").read_text()


def test_a_task_that_cannot_be_looked_at_is_told_after_the_others(here, capsys):
    assert main(["leaks", "mit-movie,./mine.yaml", "--data-dir", "data"]) == 2
    captured = capsys.readouterr()
    assert "20 of 60 test rows leak" in captured.out
    assert captured.err.startswith("1 task could not be looked at:") and "mit-movie" in captured.err


@pytest.mark.parametrize(
    ("arguments", "expected"), [(["leaks"], "holds no run of a declared task"), (["leaks", "mni"], "mni")]
)
def test_wrong_input_is_one_message(here, capsys, arguments, expected):
    assert main(arguments) == 2
    assert expected in capsys.readouterr().err
