"""Definitions are read strictly, and every problem of a file is told at once."""

from __future__ import annotations

from pathlib import Path

import make
import pytest

from benchmarks.definitions import load_systems, load_task, load_tasks, read_yaml, resolved_recipe
from benchmarks.definitions.tasks import STAND_INS
from benchmarks.errors import UserError
from benchmarks.methods import METHODS
from benchmarks.metrics import METRICS
from benchmarks.recipes import RECIPES
from benchmarks.schema import TAGS, TEXTS, Task

CONTRACT_TASKS = (
    "germeval2014 wikiann-de europarl-ner-de mit-movie mit-movie-trivia huffpost huffpost-41x900 fox-news-comments "
    "rotten-tomatoes sst2 imdb letter-author letter-language"
).split()
CONTRACT_GROUPS = {"ner", "news", "hate-speech", "sentiment", "letters"}


def problems_of(path: Path) -> str:
    with pytest.raises(UserError) as raised:
        load_task(path)
    return str(raised.value)


def test_every_task_of_the_contract_is_declared_in_its_group():
    tasks = load_tasks()
    assert set(CONTRACT_TASKS) <= set(tasks)
    assert {tasks[name].group for name in CONTRACT_TASKS} == CONTRACT_GROUPS


def test_every_file_of_a_declared_task_has_a_checksum_unless_it_was_never_seen():
    unknown = {
        file.path for task in load_tasks().values() if task.source
        for files in task.source.files.values() for file in files if file.sha256 is None
    }  # fmt: skip
    letters = {f"full/classifier_data_{part}.jsonl" for part in ("train", "test")}  # the full corpus is not public
    assert unknown == {"NER-de-train.tsv", *letters}


def test_every_group_has_an_embedded_sample_corpus():
    assert {task.group for task in load_tasks().values() if task.sample} == CONTRACT_GROUPS


def test_systems_are_declared_for_every_family_that_is_fine_tuned():
    names = set(load_systems())
    assert {
        "bert-base",
        "bert-base-cased",
        "bert-base-german",
        "distilbert",
        "roberta-base",
        "ernie",
        "minilm",
    } <= names
    assert {"tfidf-svm", "majority"} <= names


def test_the_default_systems_hold_bert_distilbert_roberta_sbert_a_classical_one_and_majority():
    default = [system for system in load_systems().values() if system.default]
    assert {"bert", "distilbert", "roberta", "sbert", "classical", "baseline"} <= {t for s in default for t in s.tags}


def test_every_method_with_a_recipe_has_a_function_and_the_other_way_round():
    assert RECIPES.keys() == METHODS.keys()


def test_minilm_learns_tags_faster_than_texts():
    minilm = load_systems()["minilm"]
    assert (resolved_recipe(minilm, TAGS).learning_rate, resolved_recipe(minilm, TAGS).epochs) == (3e-4, 4)
    assert (resolved_recipe(minilm, TEXTS).learning_rate, resolved_recipe(minilm, TEXTS).epochs) == (1e-4, 3)


def test_all_problems_of_a_task_file_are_told_at_once_with_the_nearest_match(tmp_path):
    path = make.text_task(tmp_path, metric="f1-makro", colums="[a]", title="")
    path.write_text(path.read_text().replace("title: ", "titel: x"))
    message = problems_of(path)
    assert message.startswith(f"{path}: 4 problems\n")
    assert "title: required, and not given." in message
    assert "titel: no such field. Did you mean 'title'?" in message
    assert "colums: no such field." in message
    assert (
        "metric: 'f1-makro' is no metric of text-classification. Did you mean 'f1_macro'? One of: accuracy" in message
    )


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("metric: accuracy", "metric: acc", "metric: 'acc' is no metric"),
        ("title: Two", "titel: Two", "title: required, and not given."),
        ("max_length: 32", "max_lenth: 32", "max_lenth: no such field."),
        ("max_length: 32", "max_length: 3", "max_length: input should be greater"),
        ("title: Two", "name: mine\ntitle: Two", "name: not a field"),
        ("test: test}", "tset: test}", "splits.test: required"),
        ("format: csv", "format: xls", "source.format: 'xls' is not allowed"),
    ],
)
def test_a_problem_of_fields_together_is_told_beside_a_wrong_field(tmp_path, right, wrong, expected):
    path = make.text_task(tmp_path, positive="x")
    path.write_text(path.read_text().replace(right, wrong))
    message = problems_of(path)
    assert "positive: 'x' is no label. One of: negative, positive." in message and expected in message


def test_every_required_field_has_a_stand_in():
    required = {name for name, field in Task.model_fields.items() if field.is_required()}
    assert set(STAND_INS) == required


def test_what_rests_on_a_wrong_field_waits_for_it(tmp_path):
    message = problems_of(make.text_task(tmp_path, labels="[negative, 1]"))
    assert message.endswith("mine.yaml: labels.1: input should be a valid string; found 1.")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"scheme": "IO"}, "scheme: of tags; a text has none."),
        ({"metric": "entity_f1"}, "metric: 'entity_f1' does not score text-classification."),
        ({"metric": "best_f1_threshold"}, "metric: 'best_f1_threshold' does not score text-classification."),
        ({"metric": "average_precision_macro"}, "metric: 'average_precision_macro' does not score text-classification"),
        (
            {"type": "text-clasification"},
            "type: 'text-clasification' is not allowed. Did you mean 'text-classification'?",
        ),
        ({"positive": "positiv"}, "positive: 'positiv' is no label. Did you mean 'positive'?"),
        ({"labels": "[negative]"}, "labels: 1, expected two or more classes."),
        ({"labels": "[negative, positive, positive]"}, "labels: ['positive'] stand there twice."),
        ({"labels": "[no, positive]"}, "labels.0: input should be a valid string; found False."),
        ({"label_map": "{'0': neg}"}, "label_map: 'neg' is no label."),
        ({"splits": "{train: train, test: tst}"}, "splits.test: no part 'tst' in source.files. Did you mean 'test'?"),
        ({"splits": "{train: train, test: {take_from: train}}"}, "splits.test.share: required, and not given."),
        (
            {"splits": "{train: train, test: {take_from: dev, share: 0.1}}"},
            "splits.test.take_from: 'dev' is not allowed.",
        ),
        ({"max_length": "4"}, "max_length: input should be greater than or equal to 8; found 4."),
    ],
)
def test_a_wrong_field_is_named_with_what_was_found_and_what_is_allowed(tmp_path, fields, expected):
    assert expected in problems_of(make.text_task(tmp_path, **fields))


def test_a_task_that_names_a_file_outside_of_its_folder_is_refused(tmp_path):
    path = make.text_task(tmp_path)
    path.write_text(path.read_text().replace("test.csv", "../../secret.csv"))
    assert "must lie inside the source's folder" in problems_of(path)


def test_a_format_that_holds_no_tags_is_refused_for_a_tagging_task(tmp_path):
    path = make.tag_task(tmp_path)
    path.write_text(path.read_text().replace("conll", "csv"))
    assert "source.format: 'csv' holds no token-classification." in problems_of(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", ":2: not valid YAML: key 'a' stands here twice"),
        ("a: [1\n", "not valid YAML"),
        ("- a\n", "holds list, expected fields"),
        ("", "holds NoneType, expected fields"),
        ("a: !!python/object/apply:os.system [ls]\n", "not valid YAML"),
        ("a: \x00", "not valid YAML"),
        ("? [a, b]\n: 1\n", "not valid YAML: a key is a list or a mapping"),
        ("{a: b}: 1\n", "not valid YAML: a key is a list or a mapping"),
    ],
)
def test_a_broken_yaml_file_is_one_message_with_its_line(tmp_path, text, expected):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as raised:
        read_yaml(path)
    assert str(raised.value).startswith(str(path))
    assert expected in str(raised.value)


def test_a_file_that_is_not_there_or_not_text_is_one_message(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_yaml(tmp_path / "nothing.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(UserError, match="can't be read"):
        read_yaml(tmp_path / "bytes.yaml")


def test_all_wrong_systems_are_told_at_once(tmp_path):
    path = tmp_path / "systems.yaml"
    path.write_text(
        "a: {method: finetun}\nb: {method: finetune}\nc: {method: majority, encodr: x}\nd: 3\n"
        "e: {method: tfidf, recipe: {c: -1}}\nf: {method: finetune, encoder: x/y, recipe: {learningrate: 1}}\n"
    )
    with pytest.raises(UserError) as raised:
        load_systems(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: 6 problems")
    assert "a.method: No method 'finetun'. Did you mean 'finetune'?" in message
    assert "b.encoder: required for method 'finetune', and not given." in message
    assert "encodr: no such field. Did you mean 'encoder'?" in message
    assert "d: holds 3, expected fields such as 'method: finetune'." in message
    assert "c: input should be greater than 0; found -1." in message
    assert "learningrate: no such field. Did you mean 'learning_rate'?" in message


def test_a_name_is_no_field_that_is_proposed_or_taken(tmp_path):
    task = make.text_task(tmp_path)
    task.write_text(task.read_text() + "nme: x\nqqq: x\n")
    message = problems_of(task)
    assert "nme: no such field. One of: title, group" in message and "qqq: no such field. One of: title" in message
    path = tmp_path / "systems.yaml"
    path.write_text("a: {method: majority, nam: x}\nb: {method: majority, name: c}\n")
    with pytest.raises(UserError) as raised:
        load_systems(path)
    assert "nam: no such field. One of: method, encoder" in str(raised.value)
    assert "b: name: not a field: a system is named by its key, here 'b'." in str(raised.value)


def test_a_metric_that_is_no_quality_ranks_no_task():
    assert all(METRICS[task.metric].higher_is_better for task in load_tasks().values())


def encoder_of(folder, text):
    path = folder / "systems.yaml"
    path.write_text(f"base: {{method: finetune, encoder: org/base}}\nplain: {{method: majority}}\n{text}")
    return load_systems(path)["mine"].encoder.checkpoint


def test_an_encoder_that_names_an_entry_is_that_entrys_however_far_it_goes(tmp_path):
    text = "frozen: {method: frozen, encoder: base}\nmine: {method: probe, encoder: frozen}\n"
    assert encoder_of(tmp_path, text) == "org/base"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mine: {method: finetune, encoder: bsae}\n", r"mine\.encoder: No encoder 'bsae'\. Did you mean 'base'\?"),
        ("mine: {method: finetune, encoder: plain}\n", r"mine\.encoder: system 'plain' has no encoder of its own"),
        (
            "mine: {method: finetune, encoder: other}\nother: {method: finetune, encoder: mine}\n",
            r"mine\.encoder: system 'mine' has no encoder of its own",
        ),
    ],
)
def test_an_encoder_that_is_none_is_refused(tmp_path, text, said):
    with pytest.raises(UserError, match=said):
        encoder_of(tmp_path, text)
