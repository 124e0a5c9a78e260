"""Loading: what is verified, what the tables hold, and what is kept between loads."""

from __future__ import annotations

import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.data import tables
from benchmarks.data.loading import TaskData, load
from benchmarks.data.origins import origin_of
from benchmarks.data.sample import SAMPLE_VERSION
from benchmarks.data.splits import RunData, select
from benchmarks.errors import UserError
from benchmarks.lock import Lock
from benchmarks.schema import Protocol, Task

BASE = {"name": "mine", "title": "t", "group": "g", "language": "en"}
TRAIN = ["good film,1", "bad film,0", "good film,1", "dull,0"]
TEST = ["bad  film,0", "nice,1"]


def write(folder: Path, name: str, rows: list[str]) -> str:
    path = folder / "mine" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    return sha256(path.read_bytes()).hexdigest()


def text_task(**files) -> Task:
    declared = {"train": [{"path": "train.csv"}], "test": [{"path": "test.csv"}]}
    source = {"folder": "mine", "format": "csv", "columns": {"text": "text", "label": "label"}}
    return Task.model_validate(
        {
            **BASE,
            "type": "text-classification",
            "metric": "accuracy",
            "labels": ["negative", "positive"],
            "positive": "positive",
            "label_map": {"0": "negative", "1": "positive"},
            "splits": {"train": "train", "test": "test"},
            "source": {**source, "files": {**declared, **files}},
        }
    )


def tag_task(scheme: str = "IOB2", **fields) -> Task:
    return Task.model_validate(
        {
            **BASE,
            "type": "token-classification",
            "metric": "entity_f1",
            "labels": ["PER", "LOC"],
            "label_map": {"LOCderiv": "LOC"},
            "scheme": scheme,
            "splits": {"train": "train", "test": "test"},
            "source": {
                "folder": "mine",
                "format": "conll",
                "columns": ["token", "tag"],
                "files": {"train": [{"path": "train.txt"}], "test": [{"path": "test.txt"}]},
            },
            **fields,
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "train.csv", TRAIN)
    write(tmp_path, "test.csv", TEST)
    return tmp_path


def loaded(folder: Path, task: Task | None = None) -> TaskData:
    task = task or text_task()
    return load(task, origin_of(task, folder, {}), folder / "cache", Lock())


def message(folder: Path, task: Task | None = None) -> str:
    with pytest.raises(UserError) as caught:
        loaded(folder, task)
    return str(caught.value)


# -- what tables hold ------------------------------------------------------------------------------------------------


def test_texts_come_with_row_ids_and_label_ids(folder):
    data = loaded(folder)
    assert data.splits["train"][:] == {
        "row_id": ["train:0", "train:1", "train:2", "train:3"],
        "text": ["good film", "bad film", "good film", "dull"],
        "label": [1, 0, 1, 0],
    }
    assert data.splits["train"].features["label"].dtype == "int64"


def test_tags_are_mapped_by_type_to_ids_of_the_tasks_tags(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "train.txt").write_text("Ann\tB-PER\nLee\tI-PER\n\nPariser\tB-LOCderiv\nLuft\tO\n")
    (tmp_path / "mine" / "test.txt").write_text("x\tB-LOC\ny\tI-LOC\n")
    data = loaded(tmp_path, tag_task())
    assert data.splits["train"][:] == {
        "row_id": ["train:0", "train:1"],
        "tokens": [["Ann", "Lee"], ["Pariser", "Luft"]],
        "tags": [[1, 2], [3, 0]],
    }
    assert data.splits["test"][0]["tags"] == [3, 4]
    assert data.warnings == ()


def test_iob1_becomes_iob2_whose_every_entity_is_found_and_is_told(tmp_path):
    (tmp_path / "mine").mkdir()
    words = "Ann\tI-PER\nLee\tI-PER\nBo\tB-PER\nRom\tI-LOCderiv\nund\tO\nUlm\tI-LOC\n\nUlm\tI-LOC\n"
    for name in ("train.txt", "test.txt"):
        (tmp_path / "mine" / name).write_text(words)
    for _ in range(2):  # the second time out of the kept table
        data = loaded(tmp_path, tag_task())
        assert data.splits["test"]["tags"][:] == [[1, 2, 1, 3, 0, 3], [3]]
        assert data.splits["test"]["tokens"][1] == ["Ulm"] and data.splits["test"]["row_id"][1] == "test:1"
        said = "4 or more of 5 entities of test begin with I-, as in IOB1: read as IOB2, with B-."
        assert said in data.warnings and said in data.provenance["notes"]


def test_neighbours_whose_types_are_made_one_stay_two_entities(tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("train.txt", "test.txt"):
        (tmp_path / "mine" / name).write_text("Rom\tI-LOC\nUlmer\tI-LOCderiv\nLuft\tI-LOCderiv\n")
    assert loaded(tmp_path, tag_task()).splits["test"]["tags"][:] == [[3, 3, 4]]
    assert loaded(tmp_path, tag_task("IO")).splits["test"]["tags"][:] == [[2, 2, 2]]


def test_io_tags_stay_io(tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("train.txt", "test.txt"):
        (tmp_path / "mine" / name).write_text("Ann\tI-PER\nin\tO\nRom\tI-LOC\n")
    assert loaded(tmp_path, tag_task("IO")).splits["train"][0]["tags"] == [1, 0, 2]
    assert "train.txt:1: 'B-PER' is no tag of mine. Did you mean 'I-PER'?" in _with_b(tmp_path)


def _with_b(folder: Path) -> str:
    (folder / "mine" / "train.txt").write_text("Ann\tB-PER\n")
    return message(folder, tag_task("IO"))


def test_a_label_in_the_test_split_alone_is_fine_and_an_undeclared_one_is_told_with_its_line(folder):
    write(folder, "train.csv", ["a,0"])
    assert loaded(folder).splits["test"]["label"][:] == [0, 1]
    write(folder, "test.csv", ["a,0", "b,positiv"])
    found = message(folder)
    assert found.endswith(
        "test.csv:3: 'positiv' is no label of mine. Did you mean 'positive'? One of: 0, 1, negative, positive."
    )


def test_row_numbers_run_over_the_files_of_a_part_in_order(folder):
    write(folder, "more.csv", ["more,1"])
    data = loaded(folder, text_task(train=[{"path": "train.csv"}, {"path": "more.csv"}]))
    assert data.splits["train"]["row_id"][:] == [f"train:{i}" for i in range(5)]
    assert data.splits["train"][4]["text"] == "more"


def test_row_ids_stay_with_their_rows_under_any_protocol(folder):
    write(folder, "train.csv", [f"text {i},{i % 2}" for i in range(50)])
    run = select(loaded(folder), Protocol(seed=3, train_size=10, folds=5, fold=2))
    assert isinstance(run, RunData) and run.validation is None and (len(run.train), len(run.test)) == (10, 10)
    for row in [*run.train, *run.test]:
        assert row["text"] == f"text {row['row_id'].removeprefix('train:')}"
    assert not set(run.train["row_id"]) & set(run.test["row_id"])


def test_rows_that_are_asked_for_as_they_are_share_the_table(folder):
    data = loaded(folder)
    assert select(data, Protocol()).train is data.tables["train"]


# -- what is verified ------------------------------------------------------------------------------------------------


def test_a_file_of_another_checksum_is_refused_with_both(folder):
    digest = sha256((folder / "mine" / "train.csv").read_bytes()).hexdigest()
    found = message(folder, text_task(train=[{"path": "train.csv", "sha256": "b" * 64}]))
    assert str(folder / "mine" / "train.csv") in found
    assert f"sha256 {digest}, expected {'b' * 64} (declared by the task)" in found


def test_a_file_that_changes_after_planning_is_refused(folder):
    task = text_task()
    origin = origin_of(task, folder, {})
    write(folder, "train.csv", ["new,1"])
    with pytest.raises(UserError, match=r"of the file when the run was planned"):
        load(task, origin, folder / "cache", Lock())


def test_wrong_counts_are_told_all_at_once_with_part_label_found_and_expected(folder):
    counts = {"negative": 1, "positive": 3}
    found = message(folder, text_task(train=[{"path": "train.csv", "rows": 5, "counts": counts}]))
    assert found.endswith(
        "train.csv: part 'train': 3 problems\n  4 rows, expected 5.\n"
        "  label 'negative': 2 rows, expected 1.\n  label 'positive': 2 rows, expected 3."
    )


def test_counts_are_checked_again_when_the_declaration_changes_and_the_file_does_not(folder):
    assert loaded(folder)
    assert "4 rows, expected 5." in message(folder, text_task(train=[{"path": "train.csv", "rows": 5}]))


def test_a_part_without_rows_is_refused_with_its_files(folder):
    write(folder, "test.csv", [])
    path = folder / "mine" / "test.csv"
    assert message(folder) == f"{path}: no rows for part 'test' of mine."
    write(folder, "more.csv", [])
    two = [{"path": "test.csv"}, {"path": "more.csv"}]
    assert (
        message(folder, text_task(test=two)) == f"{path}, {path.parent / 'more.csv'}: no rows for part 'test' of mine."
    )


def test_a_file_without_rows_is_none_of_anybodys_business_beside_one_that_has_some(folder):
    write(folder, "more.csv", [])
    data = loaded(folder, text_task(train=[{"path": "more.csv"}, {"path": "train.csv"}]))
    assert data.splits["train"]["row_id"][:] == [f"train:{i}" for i in range(4)]
    assert data.published["train"].starts.tolist() == [0, 0]


# -- what people are told --------------------------------------------------------------------------------------------


def test_the_provenance_of_files_is_complete_and_plain_json(folder):
    data = loaded(folder)
    assert data.provenance == json.loads(json.dumps(data.provenance))
    assert data.provenance["source"] == "files"
    assert data.provenance["sha256"] == {
        name: sha256((folder / "mine" / name).read_bytes()).hexdigest() for name in ("train.csv", "test.csv")
    }
    assert data.provenance["rows"] == {"train": 4, "test": 2}
    assert data.provenance["duplicates"] == {
        "within": {"train": 1, "test": 0},
        "across": {"test in train": 1},
        "conflicting": 0,
    }
    said = ["1 row of test also occurs in train.", "1 row of train repeats an earlier one."]
    assert data.provenance["notes"] == list(data.warnings) == said


def test_empty_texts_and_what_is_not_comparable_are_warned_of(folder):
    write(folder, "test.csv", [",1", "a,0"])
    task = text_task().model_copy(update={"not_comparable": "a sample."})
    assert loaded(folder, task).warnings == (
        "Not comparable with published scores: a sample.",
        "1 row of train repeats an earlier one.",
        "1 row of test with an empty text.",
    )


# -- what is kept between loads --------------------------------------------------------------------------------------


def arrows(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "cache").glob("*.arrow")}


def test_tables_are_memory_mapped_from_the_cache_folder(folder):
    data = loaded(folder)
    for table in data.splits.values():
        assert [Path(file["filename"]).parent for file in table.cache_files] == [folder / "cache"]


def test_a_second_load_reads_the_kept_tables(folder, monkeypatch):
    first = loaded(folder)
    before = arrows(folder)
    monkeypatch.setattr(tables, "_write", lambda *_: pytest.fail("written again"))
    again = loaded(folder)
    assert arrows(folder) == before
    assert again.splits["train"][:] == first.splits["train"][:]
    assert again.provenance == first.provenance


def test_a_changed_file_declaration_or_reader_is_read_anew(folder, monkeypatch):
    loaded(folder)
    write(folder, "train.csv", ["gOod film,1", *TRAIN[1:]])  # as long as before
    assert loaded(folder).splits["train"][0]["text"] == "gOod film"
    swapped = text_task().model_copy(update={"label_map": {"0": "positive", "1": "negative"}})
    assert loaded(folder, swapped).splits["train"]["label"][:] == [0, 1, 0, 1]
    assert loaded(folder).splits["train"]["label"][:] == [1, 0, 1, 0]
    before = set(arrows(folder))
    monkeypatch.setattr(tables, "TABLES_VERSION", tables.TABLES_VERSION + 1)
    loaded(folder)
    assert len(set(arrows(folder)) - before) == 2


def test_a_kept_table_that_is_cut_off_is_written_again(folder):
    expected = loaded(folder).splits["train"][:]
    for path, kept in zip((folder / "cache").glob("*.arrow"), (0, 700), strict=True):
        content = path.read_bytes()
        path.unlink()  # the mapped bytes stay with whoever still reads them
        path.write_bytes(content[:kept])
    assert loaded(folder).splits["train"][:] == expected


def test_a_row_that_fails_leaves_no_table_behind(folder):
    write(folder, "train.csv", ["a,0"] * 3000 + ["b,2"])
    assert "train.csv:3002: '2' is no label of mine." in message(folder)
    assert {path.suffix for path in (folder / "cache").iterdir()} <= {".lock"}


def test_loads_side_by_side_give_the_same_and_leave_no_half_table(folder):
    write(folder, "train.csv", [f"text {i},{i % 2}" for i in range(5000)])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: loaded(folder).splits["train"][4999], range(4)))
    assert found == [{"row_id": "train:4999", "text": "text 4999", "label": 1}] * 4
    assert {path.suffix for path in (folder / "cache").iterdir()} == {".arrow", ".lock"}


def test_a_cache_folder_that_cannot_be_written_is_the_users_to_mend(folder):
    (folder / "file").touch()
    task = text_task()
    with pytest.raises(UserError, match=r"cache folder can't be written"):
        load(task, origin_of(task, folder, {}), folder / "file" / "cache", Lock())


def test_many_rows_are_loaded_in_constant_memory(folder):
    loaded(folder)  # imports are not the rows'
    write(folder, "train.csv", [f"{'a text of some length ' * 40}{i},{i % 2}" for i in range(8_000)])
    tracemalloc.start()
    data = loaded(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(data.splits["train"]) == 8_000
    assert peak < 4_000_000  # bytes; the texts are 7 million


# -- other origins ---------------------------------------------------------------------------------------------------


def test_a_sample_task_loads_without_files_or_cache(tmp_path):
    task = tag_task(labels=["PER", "LOC", "ORG", "TITLE"], source=None, sample="ner")
    data = load(task, origin_of(task, None, {}), tmp_path / "cache", Lock())
    assert (data.provenance["source"], data.provenance["revision"]) == ("sample", SAMPLE_VERSION)
    assert set(data.splits["train"].column_names) == {"row_id", "tokens", "tags"}
    assert not (tmp_path / "cache").exists()
