"""What claims need is planned, and nothing else."""

from __future__ import annotations

from itertools import product

import pytest

from benchmarks.claims.matched import Wanted
from benchmarks.cli import main
from benchmarks.definitions import load_claims, load_systems, load_tasks, resolved_recipe
from benchmarks.errors import UserError
from benchmarks.needed import needed
from benchmarks.plan import recipe_identity
from benchmarks.selection import select_claims


@pytest.fixture(scope="module")
def declared():
    return load_tasks(), load_systems()


def of(declared, *names: str, seeds: int = 1, stand_in: str | None = None):
    asked = select_claims(names, *declared)
    return needed(asked.claims.values(), *declared, seeds, stand_in)


def test_a_claim_needs_its_system_under_its_recipe_and_rows_and_the_majority(declared):
    (found,) = of(declared, "S4-bert-2-epochs", seeds=2)
    assert [system.name for system in found.systems] == ["bert-base[learning_rate=2e-05,epochs=2]", "majority"]
    assert [p.seed for p in found.protocols] == [0, 1]
    assert {(p.balanced, p.train_size, p.test_size) for p in found.protocols} == {(True, 700, 170)}


def test_folds_are_planned_one_by_one(declared):
    (found,) = of(declared, "S4-lstm-word2vec-30", seeds=2)
    assert [(p.seed, p.fold) for p in found.protocols] == [(seed, fold) for seed in (0, 1) for fold in range(10)]


def test_a_stand_in_takes_the_place_of_every_encoder(declared):
    (found,) = of(declared, "S2-sentiment-sbert-above-bert", stand_in="minilm")
    assert [system.name for system in found.systems] == ["sbert-softmax", "bert-base[encoder=minilm]"]
    assert {system.encoder for system in found.systems} == {declared[1]["minilm"].encoder}


def test_both_systems_of_an_order_have_the_claims_encoder(declared):
    (found,) = of(declared, "S2-sentiment-sbert-above-bert")
    assert [system.name for system in found.systems] == ["sbert-softmax[encoder=bert-base]", "bert-base"]


def test_what_a_recipe_repeats_makes_no_variant(declared):
    (found,) = of(declared, "S3-bert")
    assert found.systems[0].name == "bert-base-cased[epochs=4]"


@pytest.mark.parametrize("stand_in", [None, "minilm"])
def test_what_is_planned_is_what_speaks_for_the_claim(declared, stand_in):
    """Of every claim of the suite: each of its runs is one that its verdict would take."""
    claims = load_claims(*declared).claims
    for one in needed(claims.values(), *declared, 2, stand_in):
        wanted = [Wanted.of(one.claim, side, one.task, declared[1], {}) for side in one.claim.sides]
        wanted.append(wanted[0].majority())
        for system, protocol in product(one.systems, one.protocols):
            recipe = recipe_identity(resolved_recipe(system, one.task.type), one.task.type)
            made_by = [w for w in wanted if (w.method, w.recipe) == (system.method, recipe)]
            assert made_by, (one.claim.name, system.name)
            pinned = {k: v for k, v in protocol.identity().items() if k not in ("seed", "fold", "limit") and v}
            assert pinned == made_by[0].protocol, one.claim.name


def test_claims_are_named_by_source_and_file_too(declared, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "sources: {mine: {title: Mine}}\nclaims:\n  own: {source: mine, says: a, task: sst2, system: minilm, "
        "reported: {accuracy: 0.9}}\n"
    )
    found = select_claims(["S3", str(tmp_path / "mine.yaml")], *declared)
    assert list(found.claims) == ["S3-bert", "S3-loss", "S3-ernie", "S3-baseline", "own"]
    assert {"S3", "mine"} <= set(found.sources)
    files = [tmp_path / "mine.yaml"]
    assert list(select_claims(["own", "S3-bert"], *declared, files).claims) == ["own", "S3-bert"]
    assert "own" in select_claims(["all"], *declared, files).claims
    (tmp_path / "other.yaml").write_text((tmp_path / "mine.yaml").read_text().replace("0.9", "0.8"))
    with pytest.raises(UserError, match="two different claims are named 'own'"):
        select_claims([str(tmp_path / "other.yaml")], *declared, files)
    assert len(select_claims(["all"], *declared).claims) == len(load_claims(*declared).claims)
    with pytest.raises(UserError, match=r"No claim 'S3-brt'\. Did you mean 'S3-bert'"):
        select_claims(["S3-brt"], *declared)


# -- the command -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--claims", "S3", "--tasks", "ner"], "--claims: says itself what is run; --tasks can't stand beside it."),
        (["--claims", "S3", "--sample"], "--sample can't stand beside it."),
        (["--claims", "S3", "--set", "recipe.epochs=1"], "--set recipe.epochs: beside --claims one encoder=... alone"),
        (["--claims", "S3", "--set", "encoder=minlm"], "Did you mean 'minilm'"),
        (["--claims", "nothing"], "No claim 'nothing'. Sources: S1, S2, S3, S4"),
    ],
)
def test_what_cannot_stand_beside_claims_is_refused(arguments, said, capsys, tmp_path):
    assert main(["run", *arguments, "--dry-run", "--results-dir", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_a_file_of_vectors_that_is_not_here_leaves_its_own_claim_out_and_no_other(capsys, tmp_path):
    absent, results = tmp_path / "absent.bin.gz", tmp_path / "results"
    (tmp_path / "mine.yaml").write_text(
        "sources: {mine: {title: Mine}}\n"
        "claims:\n"
        f"  lost: {{source: mine, says: a, task: sst2, system: lstm-word2vec, recipe: {{vectors: '{absent}'}},"
        " reported: {accuracy: 0.9}}\n"
        "  own: {source: mine, says: a, task: sst2, system: majority, reported: {accuracy: 0.5}}\n"
    )
    claims = ["--claims", str(tmp_path / "mine.yaml"), "--results-dir", str(results)]
    assert main(["run", *claims, "--seeds", "1", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 run: 0 stored, 1 to make")
    assert f"sst2 x lstm-word2vec: lost: {absent}: can't be read: No such file" in said
    (results / "runs").mkdir(parents=True)
    assert main(["claims", "lost,own", *claims]) == 0
    said = capsys.readouterr().out
    assert "absent.bin.gz" in said and "The claim's own runs: not run yet; `encoder-bench run --claims own`" in said


def test_two_claims_of_one_run_plan_it_once(capsys, tmp_path):
    """The same BERT and DistilBERT recipes are one run by one stand-in; one of rows that aren't there is left out."""
    data = tmp_path / "data"
    for task in ("fox-news-comments", "germeval2014-coarse"):
        for files in load_tasks()[task].source.files.values():
            for file in files:
                if "train" not in file.path:
                    path = data / load_tasks()[task].source.folder / file.path
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.touch()
    claims = "S4-custom-head-700,S4-custom-head-300-valid,S1-frozen-5000-germeval,S1-frozen-1000-germeval"
    arguments = [
        "--claims",
        claims,
        "--claims",
        "S3-bert",
        "--set",
        "encoder=minilm",
        "--seeds",
        "1",
        "--data-dir",
        str(data),
        "--dry-run",
    ]
    assert main(["run", *arguments, "--results-dir", str(tmp_path / "results")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("6 runs: 0 stored, 6 to make")
    assert "mit-movie x bert-base-cased: S3-bert: " in said  # its files are not there
    assert "S1-frozen-5000-germeval: needs the training file NER-de-train.tsv" in said


def test_what_is_not_public_is_planned_only_where_the_data_are_whole(capsys, tmp_path):
    task = load_tasks()["letter-author"]
    folder = tmp_path / "data" / task.source.folder
    (folder / "full").mkdir(parents=True)
    for files in task.source.files.values():
        for file in files:
            (folder / file.path).touch()
    command = ["run", "--claims", "S2-letter-author", "--set", "encoder=minilm", "--seeds", "1", "--dry-run"]
    command += ["--data-dir", str(tmp_path / "data"), "--results-dir", str(tmp_path / "results")]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("2 runs: 0 stored, 2 to make")
    for path in (folder / "full").iterdir():
        path.unlink()
    assert main(command) == 2
    assert "S2-letter-author: needs the full corpus of letters, which is not public" in capsys.readouterr().err
