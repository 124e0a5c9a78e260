"""new-task: files of every common form become a task file that validates; nothing is written where that fails."""

from __future__ import annotations

import json
from pathlib import Path

import fake_hub
import pytest
import yaml

from benchmarks.cli import main
from benchmarks.data.looks import files as looks
from benchmarks.definitions import load_task, load_tasks
from benchmarks.errors import UserError

TEXTS = [("a good film", "yes"), ("a bad film", "no"), ("not so good", "no"), ("just great, and long", "yes")] * 5
JSONL = '{"text": "a", "label": "b"}\n{"text": "c", "label": "d"}\n' * 2


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "mine").mkdir(parents=True)
    return tmp_path / "data" / "mine"


def written(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def made(capsys, *command: str):
    assert main(["new-task", *command]) == 0, capsys.readouterr().err
    return load_task(Path("mine.yaml")), capsys.readouterr().out


def csv_of(rows, header="id,comment,answer") -> str:
    return "\n".join([header, *(f'{at},"{text}",{label}' for at, (text, label) in enumerate(rows))]) + "\n"


def test_a_csv_file_becomes_a_task_with_a_fifth_held_out(here, capsys):
    task, said = made(capsys, written(here / "train.csv", csv_of(TEXTS)))
    assert task.labels == ("no", "yes") and task.positive == "yes" and task.metric == "accuracy"
    assert task.source.columns == {"text": "comment", "label": "answer"}
    assert task.splits.test.share == 0.2
    assert task.source.files["train"][0].rows == 20
    assert task.source.files["train"][0].counts == {"yes": 10, "no": 10}
    assert "data: train 16, test 4" in said
    assert "encoder-bench run --tasks ./mine.yaml --data-dir data --systems" in said


def test_the_task_that_is_written_runs(here, capsys):
    written(here / "train.csv", csv_of(TEXTS * 4))
    made(capsys, str(here / "train.csv"))
    command = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "tfidf-svm,majority", "--seeds", "1"]
    assert main(command) == 0
    assert "mine" in capsys.readouterr().out


def test_labels_that_look_like_tags_are_those_of_texts(here, capsys):
    rows = [f"a message of number {number}\t{('E-mail', 'U-Bahn', 'letter')[number % 3]}" for number in range(30)]
    task, _ = made(capsys, written(here / "train.tsv", "\n".join(["text\tlabel", *rows]) + "\n"))
    assert task.labels == ("E-mail", "U-Bahn", "letter")


@pytest.mark.parametrize("form", ["jsonl", "tsv"])
def test_other_forms_of_the_same_rows_are_the_same_task(here, capsys, form):
    if form == "jsonl":
        text = "\n".join(json.dumps({"comment": text, "answer": label}) for text, label in TEXTS) + "\n"
    else:
        text = "\n".join(["comment\tanswer", *("\t".join(row) for row in TEXTS)]) + "\n"
    task, _ = made(capsys, written(here / f"train.{form}", text))
    assert (task.labels, task.source.format) == (("no", "yes"), form)


def test_files_of_all_splits_are_read_and_a_label_of_the_test_file_is_known(here, capsys):
    train = written(here / "train.csv", csv_of(TEXTS))
    test = written(here / "test.csv", csv_of([*TEXTS[:4], ("hm", "maybe")]))
    task, _ = made(capsys, train, "--test", test, "--validation", written(here / "dev.csv", csv_of(TEXTS[:8])))
    assert task.labels == ("maybe", "no", "yes")
    assert (task.splits.train, task.splits.validation, task.splits.test) == ("train", "validation", "test")
    assert task.metric == "f1_macro" and task.positive is None


def test_what_the_user_says_is_taken(here, capsys):
    rows = written(here / "train.csv", "text,label,other,answer\n" + "a b,x,no,1\nc d,y,yes,0\ne f,x,yes,0\n" * 7)
    said = ["--text", "text", "--label", "answer", "--positive", "0", "--metric", "mcc", "--title", "Is it?", "--group",
            "mine", "--language", "de"]  # fmt: skip
    task, _ = made(capsys, rows, *said)
    assert (task.source.columns["label"], task.positive, task.metric) == ("answer", "0", "mcc")
    assert (task.title, task.group, task.language) == ("Is it?", "mine", "de")


TAGGED = "Anna B-PER\nlives O\nin O\nBerlin B-LOC\n\nMaria B-PER\nIda I-PER\nworks O\n\n" * 6


def test_tagged_words_become_a_task_whatever_the_order_and_the_separator(here, capsys):
    task, _ = made(capsys, written(here / "train.conll", TAGGED))
    assert (task.type, task.labels, task.scheme) == ("token-classification", ("LOC", "PER"), "IOB2")
    assert (task.source.columns, task.source.separator) == (("token", "tag"), "space")
    assert task.source.files["train"][0].counts == {"PER": 12, "LOC": 6}
    turned = "\n".join("\t".join(reversed(line.split())) for line in TAGGED.splitlines()) + "\n"
    assert looks.layout(Path(written(here / "other.bio", turned))).columns == ("tag", "token")


def test_several_layers_comments_numbers_and_prefixes_are_seen(here):
    lines = [
        "#\thttp://source",
        "1\tde:Anna\tNE\tB-PER\tO",
        "2\tde:Berliner\tNN\tB-LOC\tB-LOC",
        "",
        "1\tde:so\tADV\tO\tO",
    ]
    path = Path(written(here / "train.tsv", "\n".join(lines) + "\n"))
    found = looks.layout(path)
    assert found.columns == ("column1", "token", "column3", "column4", "tag")
    assert (found.comment, found.token_prefix) == ("#", "de:")
    assert looks.layout(path, label="4").columns[3] == "tag"
    with pytest.raises(UserError, match=r"columns of tags in .* are 4, 5"):
        looks.layout(path, label="2")


def test_a_word_that_begins_with_the_sign_of_comments_is_a_word(here, capsys):
    task, _ = made(capsys, written(here / "train.conll", TAGGED.replace("Berlin", "#Berlin")))
    assert task.source.comment is None
    assert task.source.files["train"][0].counts == {"PER": 12, "LOC": 6}


def test_tags_that_never_begin_with_b_are_io(here, capsys):
    task, _ = made(capsys, written(here / "train.iob", TAGGED.replace("B-", "I-")))
    assert task.scheme == "IO"


def test_iob1_is_iob2_where_neighbours_are_parted(here, capsys):
    task, said = made(capsys, written(here / "train.conll", "Anna I-PER\nMaria B-PER\nsings O\n\nUlm I-LOC\n\n" * 6))
    assert (task.scheme, task.source.files["train"][0].counts) == ("IOB2", {"PER": 12, "LOC": 6})
    assert "note: 12 or more of 18 entities of train begin with I-, as in IOB1: read as IOB2, with B-." in said


@pytest.mark.parametrize(
    ("name", "text", "more", "expected"),
    [
        ("none.csv", None, [], "no such file"),
        ("train.csv", "text,label\n", [], "holds no row"),
        ("train.csv", "text,label\na,b\n", [], "no column of labels"),
        ("train.csv", csv_of(TEXTS), ["--text", "coment"], "Did you mean 'comment'?"),
        ("train.csv", csv_of(TEXTS), ["--positive", "maybe"], "maybe"),
        ("train.csv", csv_of([*TEXTS, ("so so", "perhaps")]), ["--positive", "yes"], "found are 3 labels"),
        ("train.jsonl", JSONL, ["--no-header"], "--no-header: is of csv and tsv files;"),
        ("train.bio", "anna\tB-PER\nruns\tO\n", ["--header"], "--header: is of csv and tsv files;"),
        ("train.bio", "anna\tB-PER\nruns\tO\n", ["--text", "1"], "--text 1: is of texts;"),
        ("train.bio", "anna\tB-PER\nruns\tO\n", ["--positive", "PER"], "--positive PER: is one of two labels"),
        ("train.csv", csv_of(TEXTS), ["--metric", "entity_f1"], "entity_f1"),
        ("train.csv", csv_of(TEXTS), ["--test", "other/test.csv"], "no such file"),
        ("train.csv", csv_of(TEXTS), ["--test", "data/mine/train.csv"], "is the training file"),
        ("train.csv", csv_of(TEXTS), ["--name", "a/b"], "letters, digits and dashes"),
        ("train.csv", csv_of(TEXTS), ["--name", "mit-movie"], "is a task of the suite"),
        ("train.csv", csv_of(TEXTS) + "1,2\n", [], "train.csv:22: 2 fields, expected 3"),
        ("train.jsonl", "[1]\n", [], "expected an object"),
        ("train.csv", csv_of(TEXTS), ["--text", "answer", "--label", "answer"], "one column can't be both"),
        ("train.csv", csv_of(TEXTS), ["--config", "de"], "--config de: is of a data set on the Hub"),
        ("train.txt", "just words\n", [], "known endings are .csv"),
        ("train.conll", TAGGED.replace("Ida I-PER", "Ida I_PER", 1), [], "train.conll:7: tag 'I_PER', expected O, B-"),
        ("train.conll", TAGGED.replace("in O", "in", 1), [], "train.conll:3: 1 column, expected 2 (token, tag): 'in'"),
        ("train.conll", TAGGED.replace("Anna B-", "Anna S-"), [], "train.conll:1: tag 'S-PER', expected O, B-TYPE or"),
        ("train.conll", "a O\nb O\n", [], "train.conll: no entity is tagged in it"),
        ("train.csv", csv_of(TEXTS) + "20,text,\n", [], "train.csv:22: label: empty; name it, or leave the row out."),
        ("train.csv", "text;label\na, b;c\n", [], "train.csv: one column only, 'text;label'; those of csv are parted"),
        ("train.csv", "text,label\n\"open,b\n", [], "quotation mark"),
    ],
)  # fmt: skip
def test_what_can_t_be_used_is_told_and_nothing_is_written(here, capsys, name, text, more, expected):
    path = here / name
    if text is not None:
        written(path, text)
    assert main(["new-task", str(path), *more]) == 2
    assert expected in capsys.readouterr().err
    assert not list(Path().glob("*.yaml"))


def test_a_file_that_is_there_is_never_replaced(here, capsys):
    Path("mine.yaml").write_text("mine: true\n")
    assert main(["new-task", written(here / "train.csv", csv_of(TEXTS))]) == 2
    assert "exists already" in capsys.readouterr().err
    assert Path("mine.yaml").read_text() == "mine: true\n"


def test_questions_are_asked_on_a_terminal_and_an_empty_answer_takes_the_default(here, capsys, monkeypatch):
    path = written(here / "train.csv", csv_of(TEXTS))
    answers = iter(["", "Films I saw", "sentiment", "", "f1", "no"])
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or next(answers))
    task, _ = made(capsys, path)
    assert (task.title, task.group, task.language, task.metric, task.positive) == (
        "Films I saw",
        "sentiment",
        "en",
        "f1",
        "no",
    )
    assert asked[0] == "Name of the task [mine]: "


def test_labels_that_yaml_would_change_stay_what_they_are(here, capsys):
    rows = [(f"text {at}", ("no", "yes", "1", "1.0", "null", "ünïcode: #")[at % 6]) for at in range(36)]
    task, _ = made(capsys, written(here / "train.csv", csv_of(rows)))
    assert set(task.labels) == {"no", "yes", "1", "1.0", "null", "ünïcode: #"}
    assert yaml.safe_load(Path("mine.yaml").read_text())["labels"] == list(task.labels)


def test_a_sign_that_yaml_takes_for_a_line_end_stays_in_its_label(here, capsys):
    rows = [(f"text {at}", ("first\x85second", "other")[at % 2]) for at in range(20)]
    task, _ = made(capsys, written(here / "train.csv", csv_of(rows)))
    assert set(task.labels) == {"first\x85second", "other"}


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_file_without_header_is_seen_by_its_first_label_and_read_by_number(here, capsys, form):
    sign = {"csv": ",", "tsv": "\t"}[form]
    rows = [text.replace(",", "") + sign + label for text, label in TEXTS]
    task, said = made(capsys, written(here / f"train.{form}", "\n".join(rows) + "\n"))
    assert task.source.columns == ("text", "label")
    assert task.source.files["train"][0].rows == 20 and task.labels == ("no", "yes")
    assert f"read as {form} without header: text, label" in said and "data: train 16, test 4" in said


def test_the_user_may_say_whether_there_is_a_header(here, capsys):
    numbered = written(here / "train.csv", "0,1\n" + "".join(f"text {at},{at % 2}\n" for at in range(20)))
    task, _ = made(capsys, numbered, "--header")  # of a table whose columns are numbered, as pandas writes it
    assert task.source.columns == {"text": "0", "label": "1"} and task.source.files["train"][0].rows == 20
    Path("mine.yaml").unlink()
    task, _ = made(capsys, numbered, "--no-header", "--text", "1", "--label", "2")
    assert task.source.columns == ("text", "label") and task.source.files["train"][0].rows == 21


# -- on the Hub ------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(here, tmp_path, monkeypatch):
    monkeypatch.setenv("ENCODER_BENCH_CACHE", str(tmp_path / "cache"))
    with fake_hub.serving() as hub:
        fake_hub.point_client_at(monkeypatch, hub.url, tmp_path / "hf")
        yield hub


def served(hub, splits, names=None, head="", configs=("default",)):
    """Puts org/mine on the Hub: split -> columns."""
    files = {
        f"{config}/{split}.parquet": fake_hub.parquet(own, names) for config in configs for split, own in splits.items()
    }
    patterns = {config: {split: f"{config}/{split}.parquet" for split in splits} for config in configs}
    card = fake_hub.card(patterns).replace(b"---\n", b"---\n" + head.encode(), 1)
    hub.add("datasets", "org/mine", {"README.md": card, **files})


def columns(labels, count=20):
    return {
        "sentence": [f"a text {at}" for at in range(count)],
        "label": [labels[at % len(labels)] for at in range(count)],
    }


def test_a_hub_data_set_becomes_a_task_by_its_own_splits_classes_and_card(hub, capsys):
    splits = {"train": {"id": [f"{at}" for at in range(20)], **columns([0])}, "test": columns([1, 0])}
    splits["train"]["label"][-1] = 1  # sorted by label, as some are published
    served(hub, splits, {"label": ["neg", "pos"]}, head="language:\n- de\nlicense: mit\n")
    task, said = made(capsys, "org/mine")
    assert (task.labels, task.positive, task.language, task.licence) == (("neg", "pos"), "pos", "de", "mit")
    assert task.source is None and task.hub.columns == {"text": "sentence", "label": "label"}
    assert task.hub.parts == {"train": "train", "test": "test"}
    assert "data: train 20, test 20" in said and "--data-dir" not in said


def test_rows_whose_labels_are_not_published_are_no_test_rows(hub, capsys):
    served(hub, {"train": columns([0, 1]), "validation": columns([0, 1]), "test": columns([-1])}, {"label": ["a", "b"]})
    task, said = made(capsys, "org/mine")
    assert task.hub.parts == {"train": "train", "test": "validation"}
    assert "test: its labels are not published; it is left out" in said


def test_tagged_words_on_the_hub_are_found_beside_parts_of_speech(hub, capsys):
    tagged = {"tokens": [["Anna", "lives", "in", "Berlin"], ["so"]] * 6, "pos_tags": [[0, 1, 2, 0], [1]] * 6,
              "ner_tags": [[1, 0, 0, 3], [0]] * 6}  # fmt: skip
    names = {"pos_tags": ["N", "V", "P"], "ner_tags": ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]}
    served(hub, {"train": tagged, "validation": tagged, "test": tagged}, names)
    task, said = made(capsys, "org/mine")
    assert (task.type, task.labels, task.metric) == ("token-classification", ("LOC", "PER"), "entity_f1")
    assert task.hub.columns == {"tokens": "tokens", "tags": "ner_tags"}
    assert "train: train: 12 rows; entities: PER 6" in said


@pytest.mark.parametrize(
    ("splits", "more", "expected"),
    [
        ({"train": columns([0, 1])}, ["--test", "tset"], "no such split in Hub org/mine. One of: train."),
        ({"training": columns([0, 1])}, [], "has no split 'train'"),
        ({"train": columns([0, 1])}, ["--label", "labl"], "Did you mean 'label'?"),
        ({"train": columns([0, 1])}, ["--config", "defualt"], "Did you mean 'default'?"),
        ({"train": {"tokens": [["a"]] * 4, "tags": [[1]] * 4}}, [], "no column of words with one of tags"),
        ({"train": {"x": [0.5] * 4}}, [], "no column of texts"),
    ],
)  # fmt: skip
def test_what_a_hub_data_set_lacks_is_told_and_nothing_is_written(hub, capsys, splits, more, expected):
    served(hub, splits)
    assert main(["new-task", "org/mine", *more]) == 2
    assert expected in capsys.readouterr().err
    assert not list(Path().glob("*.yaml"))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("train.jsonl.gz", b"", "can't be read: .gz suffix"),
        ("train.txt", b"a text\n", "can't be read: .txt suffix"),
        ("train.jsonl", b"{not JSON\n", "can't be read"),
        ("train.parquet", b"no parquet", "can't be read"),
    ],
)
def test_files_on_the_hub_that_cannot_be_read_are_told(hub, capsys, name, content, expected):
    card = fake_hub.card({"default": {"train": name}})
    hub.add("datasets", "org/mine", {"README.md": card, name: content})
    assert main(["new-task", "org/mine"]) == 2
    assert "Hub org/mine" in (said := capsys.readouterr().err) and expected in said
    assert not list(Path().glob("*.yaml"))


def test_a_hub_data_set_of_a_script_alone_is_told(hub, capsys):
    hub.add("datasets", "org/mine", {"README.md": b"# Data\n", "mine.py": b"raise SystemExit\n"})
    assert main(["new-task", "org/mine"]) == 2
    assert "org/mine" in capsys.readouterr().err


def test_what_the_user_says_comes_before_the_card(hub, capsys):
    served(hub, {"train": columns([0, 1])}, {"label": ["a", "b"]}, head="language: de\nlicense: mit\n")
    task, _ = made(capsys, "org/mine", "--language", "en")
    assert (task.language, task.licence) == ("en", "mit")
    Path("mine.yaml").unlink()
    assert main(["new-task", "org/mine", "--header"]) == 2
    assert "--header: is of csv and tsv files" in capsys.readouterr().err


def test_the_rows_that_are_looked_at_are_those_that_runs_will_have(hub, capsys):
    served(hub, {"train": columns([0, 1], count=20)}, {"label": ["a", "b"]})
    made(capsys, "org/mine")
    Path("mine.yaml").unlink()
    served(hub, {"train": columns([0, 1], count=40)}, {"label": ["a", "b"]})  # newer, and not in the cache
    _, said = made(capsys, "org/mine")
    assert "train: train: 20 rows" in said and "data: train 16, test 4" in said


def test_one_of_several_configurations_has_to_be_named(hub, capsys):
    served(hub, {"train": columns([0, 1])}, configs=("de", "en"))
    assert main(["new-task", "org/mine"]) == 2
    assert "config: required, as the data set has several. One of: de, en." in capsys.readouterr().err
    task, _ = made(capsys, "org/mine", "--config", "de")
    assert task.hub.config == "de"


def test_a_data_set_that_the_hub_has_not_and_a_file_that_is_not_there_are_told_apart(hub, capsys):
    assert main(["new-task", "org/other"]) == 2
    assert "org/other" in capsys.readouterr().err
    assert main(["new-task", "org/other.csv"]) == 2
    assert "org/other.csv: no such file" in capsys.readouterr().err


# -- the real corpora ------------------------------------------------------------------------------------------------


def test_of_the_real_corpora_columns_labels_and_counts_are_those_that_are_declared(real_data):
    declared = load_tasks()
    for name, part, label in (
        ("mit-movie", "train", None), ("wikiann-de", "train", None), ("europarl-ner-de", "train", None),
        ("germeval2014", "dev", "3"), ("fox-news-comments", "all", None), ("sst2", "dev", None),
    ):  # fmt: skip
        source = declared[name].source
        file = source.files[part][0]
        path = real_data / source.folder / file.path
        found = looks.layout(path, label=label)
        content = looks.content(path, found)
        assert (found.format, found.separator, found.token_prefix) == (
            source.format,
            source.separator,
            source.token_prefix,
        )
        if isinstance(source.columns, tuple):
            places = [(list(source.columns).index(key), list(found.columns).index(key)) for key in ("token", "tag")]
            assert all(one == other for one, other in places), name
        else:
            assert dict(found.columns) == dict(source.columns)
        assert content.rows == file.rows, name
        counts = {declared[name].label_map.get(key, key): count for key, count in content.counts.items()}
        assert not file.counts or counts == file.counts, name
