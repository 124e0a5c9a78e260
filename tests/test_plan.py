"""The plan is the whole grid, and a run's identity covers everything that moves its score."""

from __future__ import annotations

import itertools
from typing import Annotated

import make
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.definitions import changed, load_systems, load_task, load_tasks, resolved_recipe
from benchmarks.encoders import locate
from benchmarks.errors import UserError
from benchmarks.plan import Weights, changed_fields, combinations, parse_override, plan, protocols, variants
from benchmarks.schema import (
    DESCRIPTIVE,
    Encoder,
    File,
    Hub,
    Neutral,
    Protocol,
    Source,
    System,
    Task,
    Value,
    fingerprint,
    folder_name,
)
from benchmarks.selection import encoder_named, select_systems, typed

SYSTEMS = load_systems()
SEED_0 = Protocol()


@pytest.fixture
def task(tmp_path):
    import make

    return load_task(make.text_task(tmp_path))


@pytest.fixture
def tagging(tmp_path):
    import make

    return load_task(make.tag_task(tmp_path))


def grid(tasks, systems, protocols=(SEED_0,), data="one", weights="a"):
    origins = {task.name: {"data": data} for task in tasks}
    checkpoints = {system.encoder: Weights({"sha256": weights}) for system in systems if system.encoder}
    return plan(tasks, systems, list(protocols), origins, checkpoints)


def one(task, system, protocol=None, **inputs):
    return grid([task], [system], [protocol or Protocol()], **inputs).runs[0]


def overridden(*texts, systems=("minilm",), encoders=None):
    found = [parse_override(text) for text in texts]
    return variants([SYSTEMS[name] for name in systems], found, encoders or {}).systems


def test_the_grid_is_tasks_by_systems_by_sizes_by_seeds_by_folds(task):
    runs = grid([task], [SYSTEMS["majority"], SYSTEMS["tfidf-svm"]], protocols(3, [10, None], 5, None, {})).runs
    assert len(runs) == 2 * 2 * 3 * 5
    assert len({run.path for run in runs}) == len(runs)


def test_a_system_that_cannot_do_a_task_is_left_out_with_a_word(tagging):
    found = grid([tagging], [SYSTEMS["tfidf-svm"], SYSTEMS["majority"]])
    assert [(s.system, s.why) for s in found.skipped] == [("tfidf-svm", "tfidf does no token-classification")]
    assert [run.system.name for run in found.runs] == ["majority"]


NO_TAGS = (
    "bert-base-probe", "bert-base-german-probe", "minilm-probe", "sbert-softmax", "sbert-softmax-pairs", "sbert-cosine",
    "sbert-cluster", "sbert-fewshot", "tfidf-svm", "tfidf-nb", "tfidf-logreg", "zero-shot-sentiment",
    "zero-shot-labels",
)  # fmt: skip
MISFITS = {
    "sentiment-sample": {"features-logreg": "does no text-classification"},
    "news-sample": {
        "features-logreg": "does no text-classification",
        "sbert-cosine": "ranks one class against one other",
        "zero-shot-sentiment": "knows no labels but",
    },
    "ner-sample": {
        **dict.fromkeys(NO_TAGS, "does no token-classification"),
        **dict.fromkeys(("lstm-bert", "lstm-word2vec"), "tags with the words on both sides only"),
        **dict.fromkeys(("bilstm-attention-bert", "bilstm-attention-word2vec"), "gives one class a text, no tags"),
    },
}


@pytest.mark.parametrize("name", MISFITS)
def test_every_system_does_every_task_of_its_types_and_says_of_the_others_why_not(name):
    found = grid([load_tasks()[name]], list(SYSTEMS.values()))
    whys = {skipped.system: skipped.why for skipped in found.skipped if "the same run as" not in skipped.why}
    assert set(whys) == set(MISFITS[name])
    assert all(said in whys[system] for system, said in MISFITS[name].items())
    assert {run.system.name for run in found.runs}.isdisjoint(whys)


def test_an_lstm_that_reads_padding_does_no_tags():
    unmasked = changed(SYSTEMS["bilstm-bert"], {"masked_attention": False})
    whys = [grid([load_tasks()[name]], [unmasked]).skipped for name in ("news-sample", "ner-sample")]
    assert [[skipped.why for skipped in found] for found in whys] == [[], ["recurrent reads padding in texts alone"]]


def test_a_recipe_is_resolved_once_for_all_runs_of_a_system_on_a_task(task, tmp_path, monkeypatch):
    resolved = []

    def counted(system, task_type):
        resolved.append(system.name)
        return resolved_recipe(system, task_type)

    monkeypatch.setattr("benchmarks.plan.resolved_recipe", counted)
    runs = grid([task], [SYSTEMS["tfidf-svm"], SYSTEMS["majority"]], protocols(3, [None, 10], None, None, {})).runs
    assert len(runs) == 12 and resolved == ["tfidf-svm", "majority"]


def test_planning_twice_gives_the_same_fingerprints(task):
    assert one(task, SYSTEMS["minilm"]).fingerprint == one(task, SYSTEMS["minilm"]).fingerprint


# A value for each field, other than its own: a new field without one fails the test below until it is decided
# whether it can move a score.
OTHER_VALUES = {
    "type": "token-classification", "labels": ("a", "b"), "label_map": {"x": "negative"}, "positive": "negative",
    "scheme": "IO", "max_length": 64, "splits": {"train": "test", "test": "train"}, "source": None, "fallback": None,
    "dropped": ("x",),
}  # fmt: skip


def test_every_field_of_a_task_either_changes_the_fingerprint_or_is_marked_descriptive(task):
    before = fingerprint(task.identity())
    for name, field in Task.model_fields.items():
        if DESCRIPTIVE in field.metadata:
            changed = task.model_copy(update={name: "something else"})
            assert fingerprint(changed.identity()) == before, name
        elif name != "fallback":
            changed = task.model_copy(update={name: OTHER_VALUES[name]})
            assert fingerprint(changed.identity()) != before, name


@pytest.mark.parametrize("field", sorted(Protocol.model_fields))
def test_every_field_of_the_protocol_changes_the_fingerprint(task, field):
    other = Protocol(**{field: True if field == "balanced" else 5})
    assert one(task, SYSTEMS["majority"], other).fingerprint != one(task, SYSTEMS["majority"]).fingerprint


def test_a_field_added_later_leaves_the_fingerprint_alone_at_its_neutral_value():
    class Older(Value):
        epochs: int = 3

    class Newer(Older):
        smoothing: Annotated[float, Neutral(0.0)] = 0.0

    assert fingerprint(Newer().identity()) == fingerprint(Older().identity())
    assert fingerprint(Newer(smoothing=0.1).identity()) != fingerprint(Older().identity())


def test_data_weights_method_and_recipe_change_the_fingerprint(task):
    base = one(task, SYSTEMS["minilm"])
    others = [
        one(task, SYSTEMS["minilm"], data="two"),
        one(task, SYSTEMS["minilm"], weights="b"),
        one(task, SYSTEMS["majority"]),
        one(task, overridden("recipe.learning_rate=2e-4")[0]),
        one(task, overridden("recipe.clipping=0")[0]),
    ]
    assert len({base.fingerprint, *(run.fingerprint for run in others)}) == 6


def test_a_systems_name_and_summary_do_not_change_the_fingerprint(task):
    renamed = SYSTEMS["minilm"].model_copy(update={"name": "other", "summary": "other", "tags": ()})
    assert one(task, renamed).fingerprint == one(task, SYSTEMS["minilm"]).fingerprint


def test_the_files_rows_and_paths_are_left_to_the_identity_of_the_data(task):
    moved = {part: (File(path="elsewhere.csv", rows=3),) for part in task.source.files}
    other = task.model_copy(update={"source": task.source.model_copy(update={"files": moved, "folder": "x"})})
    assert other.identity() == task.identity()


def test_a_variant_shows_its_overrides_in_its_name_and_shares_no_run(task):
    found = overridden("recipe.learning_rate=1e-5,2e-5")
    assert [system.name for system in found] == ["minilm[learning_rate=1e-05]", "minilm[learning_rate=2e-05]"]
    paths = {one(task, system).path for system in (*found, SYSTEMS["minilm"])}
    assert len(paths) == 3


@pytest.mark.parametrize("values", ["1e-4,0.0001", "0.0001,0.0001", "1.0e-4,1e-4"])
def test_a_value_that_is_written_twice_is_one_variant(task, values):
    (found,) = overridden(f"recipe.learning_rate={values}")
    assert found.name == "minilm[learning_rate=0.0001]"
    assert one(task, found).fingerprint == one(task, overridden("recipe.learning_rate=1e-4")[0]).fingerprint


def test_a_variant_has_one_name_in_whatever_order_its_overrides_stand():
    given = ["recipe.epochs=1", "encoder=minilm", "recipe.learning_rate=1e-5"]
    minilm = {"minilm": SYSTEMS["minilm"].encoder}
    found = {
        overridden(*order, systems=("bert-base",), encoders=minilm)[0].name for order in itertools.permutations(given)
    }
    assert found == {"bert-base[encoder=minilm,learning_rate=1e-05,epochs=1]"}


def test_several_overrides_make_a_grid_in_which_each_counts_for_texts_and_tags(task, tagging):
    found = overridden("recipe.learning_rate=1e-5,2e-5", "recipe.epochs=1,2")
    assert len(found) == 4
    assert all(one(t, s).recipe.learning_rate in (1e-5, 2e-5) for s in found for t in (task, tagging))


def test_an_encoder_override_names_the_variant_and_keeps_the_recipe(task):
    minilm = SYSTEMS["minilm"].encoder
    (variant,) = overridden("encoder=minilm", systems=("bert-base",), encoders={"minilm": minilm})
    assert variant.name == "bert-base[encoder=minilm]"
    assert variant.encoder == minilm
    assert one(task, variant).recipe == one(task, SYSTEMS["bert-base"]).recipe


def test_an_override_leaves_systems_alone_that_do_not_know_it():
    found = overridden("recipe.learning_rate=1e-5", systems=("majority", "minilm"))
    assert [system.name for system in found] == ["majority", "minilm[learning_rate=1e-05]"]


def test_the_encoder_that_a_system_has_makes_no_variant():
    minilm = SYSTEMS["minilm"]
    found = overridden("encoder=minilm", systems=("minilm", "majority"), encoders={"minilm": minilm.encoder})
    assert found == [minilm, SYSTEMS["majority"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("learning_rate=1", "--set learning_rate: no such setting. Did you mean 'recipe.learning_rate'?"),
        ("recipe.learningrate=1", "Did you mean 'recipe.learning_rate'?"),
        ("recipe.test_size=9", "Did you mean 'protocol.test_size'?"),
        ("protocol.epoch=1", "Did you mean 'recipe.epochs'?"),
        ("recipe.epochs", "expected NAME=VALUE"),
        ("recipe.epochs=", "expected NAME=VALUE"),
        ("protocol.seed=3", "no such setting"),
    ],
)
def test_a_wrong_override_is_one_message(text, expected):
    with pytest.raises(UserError) as raised:
        parse_override(text)
    assert expected in str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("recipe.learning_rat=1", "One of: recipe.alpha"),
        ("learning_rate=1", "One of: recipe.alpha"),
        ("recipe.ngram=1", "Did you mean 'recipe.ngrams'?"),
        ("encodr=minilm", "One of: recipe.alpha"),
    ],
)
def test_no_override_is_proposed_that_none_of_the_systems_has(text, expected):
    with pytest.raises(UserError) as raised:
        parse_override(text, [SYSTEMS["tfidf-svm"]])
    said = str(raised.value)
    assert expected in said and "learning_rate'" not in said and "encoder" not in said.replace("encodr", "")


@pytest.mark.parametrize("text", ["recipe.learning_rate=-1", "recipe.epochs=many", "recipe.schedule=linaer"])
def test_a_value_out_of_range_is_found_before_anything_runs(text):
    with pytest.raises(UserError, match=r"minilm\.recipe"):
        overridden(text)


def test_an_override_that_no_selected_system_knows_is_refused():
    with pytest.raises(UserError, match=r"none of the selected systems has it \(majority\)"):
        overridden("recipe.learning_rate=1", systems=("majority",))


def test_two_encoders_that_differ_by_a_suffix_are_two_variants():
    encoders = {name: Encoder(checkpoint=name) for name in ("org/m-1.0", "org/m-1")}
    found = overridden("encoder=org/m-1.0,org/m-1", systems=("bert-base",), encoders=encoders)
    assert [system.name for system in found] == ["bert-base[encoder=org/m-1.0]", "bert-base[encoder=org/m-1]"]


def test_an_encoder_override_that_nothing_knows_is_named_as_the_user_wrote_it():
    with pytest.raises(UserError, match=r"--set encoder: none of the selected systems has it \(majority\)"):
        overridden("encoder=minilm", systems=("majority",), encoders={"minilm": SYSTEMS["minilm"].encoder})


def test_a_value_that_yaml_takes_for_a_date_is_one_message():
    with pytest.raises(UserError, match="learning_rate"):
        overridden("recipe.learning_rate=2024-99-99")


def test_brackets_keep_a_value_together():
    assert parse_override("recipe.ngrams=[1, 1],[1, 2]").values == ([1, 1], [1, 2])


def test_protocol_settings_make_a_grid():
    found = combinations([parse_override("protocol.balanced=true,false")])
    assert found == [{"balanced": True}, {"balanced": False}]
    assert combinations([]) == [{}]


def test_what_changed_is_told_field_by_field():
    old = {"recipe": {"epochs": 3, "lr": 1}, "data": "a"}
    assert changed_fields(old, {"recipe": {"epochs": 4, "lr": 1}, "data": "a"}) == ["recipe.epochs: 3 -> 4"]


@given(st.text(min_size=1))
def test_no_system_name_can_leave_the_results_folder(name):
    folder = folder_name(name)
    assert folder not in ("", ".", "..")
    assert "/" not in folder and "\\" not in folder and "\0" not in folder


def test_two_hub_encoders_never_share_a_folder():
    first, second = (System(name=name, method="finetune", encoder=Encoder(checkpoint=name)) for name in ("a/b", "c/b"))
    assert folder_name(first.name) != folder_name(second.name)


def test_systems_are_found_by_name_tag_hub_id_and_folder(tmp_path):
    names = select_systems(["classical", "minilm", "org/some-model", str(tmp_path)], SYSTEMS, sample=False)
    classical = ["tfidf-svm", "tfidf-nb", "tfidf-logreg", "features-logreg", "majority"]
    assert [system.name for system in names] == [*classical, "minilm", "org/some-model", tmp_path.name]


def test_an_entry_means_the_hub_even_where_a_folder_has_its_name_and_a_user_means_that_folder(tmp_path, monkeypatch):
    named = SYSTEMS["bert-base"].encoder.checkpoint
    (tmp_path / named).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert locate(SYSTEMS["bert-base"].encoder, {}).identity == {"hub": named, "commit": None}
    assert typed("bert-base", SYSTEMS) == "bert-base"
    assert typed(named, SYSTEMS) == f"./{named}"
    assert typed("google-bert", SYSTEMS) == "./google-bert"
    assert typed("org/elsewhere", SYSTEMS) == "org/elsewhere"
    (found,) = select_systems([named], SYSTEMS, sample=False)
    assert found.encoder.checkpoint == f"./{named}"


def test_a_folder_named_like_a_declared_system_gets_a_longer_name(tmp_path):
    (tmp_path / "minilm").mkdir()
    (found,) = select_systems([str(tmp_path / "minilm")], SYSTEMS, sample=False)
    assert found.name == f"{tmp_path.name}/minilm"


def test_an_unknown_system_is_told_with_the_nearest_match():
    with pytest.raises(UserError, match=r"No system 'bert-bse'\. Did you mean 'bert-base'\?"):
        select_systems(["bert-bse"], SYSTEMS, sample=False)


def test_a_revision_in_a_name_is_refused_with_what_pins_one(tmp_path, monkeypatch):
    said = (
        r"a revision can't be given with @; it stands in encoder-bench\.lock\. "
        "`encoder-bench fetch --systems org/model` writes"
    )
    with pytest.raises(UserError, match=f"--systems org/model@main: {said}"):
        select_systems(["org/model@main"], SYSTEMS, sample=False)
    with pytest.raises(UserError, match=f"--set encoder=org/model@v1: {said}"):
        encoder_named("org/model@v1", SYSTEMS)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org" / "model@main").mkdir(parents=True)
    (found,) = select_systems(["org/model@main"], SYSTEMS, sample=False)
    assert found.name == "model@main"  # a folder may be named so


SAMPLED = {"default": None, "all": ["all"], "tags": ["sbert", "classical"]}


def test_with_the_sample_default_systems_tags_and_all_need_no_network():
    chosen = {name: select_systems(names, SYSTEMS, sample=True) for name, names in SAMPLED.items()}
    assert {system.name for system in chosen["default"]} == {"minilm", "tfidf-svm", "features-logreg", "majority"}
    assert {"sbert-cluster", "minilm-probe", "tfidf-nb"} <= {system.name for system in chosen["tags"]}
    assert {"minilm-lora", "bilstm-word2vec", "zero-shot-labels"} <= {system.name for system in chosen["all"]}
    encoders = {system.encoder for systems in chosen.values() for system in systems}
    assert encoders == {None, SYSTEMS["minilm"].encoder}


# -- what a recipe does not read, or refuses -------------------------------------------------------------------------

SAME_RUN = {
    "minilm": ["head_dropout=0.3", "head_activation=gelu"],
    "minilm-frozen": ["head_activation=gelu"],
    "sbert-softmax": ["partners=2"],
    "tfidf-nb": ["c=3"],
    "tfidf-svm": ["alpha=0.5"],
}
OTHER_RUN = {
    "minilm": ["epochs=2", "warmup=0"],
    "distilbert-custom-head": ["head_dropout=0.3", "head_activation=gelu"],
    "minilm-frozen": ["head_dropout=0.3", "pooling=cls"],
    "sbert-softmax-pairs": ["partners=2"],
    "tfidf-nb": ["alpha=0.5"],
    "tfidf-svm": ["c=3"],
}


def fingerprints(task, name, text):
    changed = overridden(f"recipe.{text}", systems=(name,))[0]
    return one(task, SYSTEMS[name]).fingerprint, one(task, changed).fingerprint


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in SAME_RUN.items() for text in texts])
def test_a_setting_that_nothing_reads_makes_no_other_run(task, name, text):
    plain, changed = fingerprints(task, name, text)
    assert plain == changed


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in OTHER_RUN.items() for text in texts])
def test_a_setting_that_is_read_makes_another_run(task, name, text):
    plain, changed = fingerprints(task, name, text)
    assert plain != changed


def test_a_constant_schedule_reads_no_warm_up(task):
    runs = [one(task, overridden("recipe.schedule=constant", f"recipe.warmup={w}")[0]) for w in (0, 0.1)]
    assert runs[0].fingerprint == runs[1].fingerprint


def test_tags_read_no_pooling_of_texts(tmp_path):
    tags = load_task(make.tag_task(tmp_path))
    plain, changed = fingerprints(tags, "minilm-frozen", "pooling=mean_last_four")
    assert plain == changed


def test_a_variant_that_its_recipe_refuses_is_left_out_beside_others(task):
    override = parse_override("recipe.label_smoothing=0.1")
    found = variants([SYSTEMS["minilm"], SYSTEMS["sbert-cosine"]], [override], {})
    assert [system.name for system in found.systems] == ["minilm[label_smoothing=0.1]"]
    checkpoints = {SYSTEMS["minilm"].encoder: Weights({})}
    skipped = plan([task], found.systems, [Protocol()], {task.name: {}}, checkpoints, found.refused).skipped
    assert [(item.task, item.system) for item in skipped] == [(task.name, "sbert-cosine[label_smoothing=0.1]")]
    assert "label_smoothing" in skipped[0].why


@pytest.mark.parametrize("systems", [("minilm",), ("minilm", "minilm-frozen", "tfidf-svm")])
def test_a_value_that_every_recipe_refuses_is_wrong_input(systems):
    with pytest.raises(UserError, match="learning_rate"):
        overridden("recipe.learning_rate=-1,1e-3", systems=systems)


# -- what no score depends on ----------------------------------------------------------------------------------------

# A field that is added here stays out of every run's identity: a change of it reuses results that were made before.
PEOPLE_ALONE = {
    Task: "name title group language metric fallback hub sample licence homepage citation notes not_comparable "
    "offensive",
    Source: "folder files",
    File: "",
    Hub: "",
    Encoder: "checkpoint package sha256 tokenizer_sha256",
    System: "",
}


@pytest.mark.parametrize("kind", PEOPLE_ALONE, ids=lambda kind: kind.__name__)
def test_the_fields_that_no_score_depends_on_are_these(kind):
    found = [name for name, field in kind.model_fields.items() if DESCRIPTIVE in field.metadata]
    assert sorted(found) == sorted(PEOPLE_ALONE[kind].split())
