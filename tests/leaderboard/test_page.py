"""What a page says above and below its tables."""

from __future__ import annotations

from records import DATA, MACHINE, cells, done, failed, page

from benchmarks.leaderboard.page import LEGEND, SEVERAL_MACHINES


def test_a_page_says_what_was_measured_on_what():
    notes = ["Not comparable with published scores: a fifth of the rows.", "24 rows of test also occur in train."]
    found = {"within": {"train": 43}, "across": {"test in train": 24}}
    text = page(done(data={**DATA, "notes": notes, "duplicates": found}))
    head = text.split("\n## ")[0].splitlines()
    assert head == [
        "# Films, good or bad",
        "",
        "- Task: `films`, group `sentiment`",
        "- Primary metric: `accuracy`, share of rows with the right class",
        "- Data: files train.csv (sha256 aaaaaaaa); rows: train 9,775, test 2,443",
        "- Not comparable with published scores: a fifth of the rows.",
        "- 24 rows of test also occur in train.",
        "- Hardware: Xeon (2 cores), fp32, 1 process",
        "- Code: encoder-bench 0.1.0",
    ]


def test_rows_repeated_within_the_training_split_are_told_where_folds_part_them():
    data = {**DATA, "duplicates": {"within": {"train": 43}, "across": {}}}
    said = "- Folds divide the rows anew: copies of one text may stand in different folds."
    assert said in page(done(data=data, protocol={"folds": 2, "fold": 0}))
    assert said not in page(done(data=data))


ABOUT = {
    "language": "en",
    "licence": "MIT",
    "homepage": "https://example.org/films?a=1",
    "citation": "A. Author: *Films*, 2017",
    "notes": "A fifth of the rows.",
    "offensive": True,
}


def test_a_page_says_what_its_newest_run_knows_of_the_data():
    old = done(about={"licence": "none"}, created="2026-01-01T00:00:00+00:00")
    for runs in ([old, done("b", about=ABOUT)], [done("b", about=ABOUT), old]):
        assert page(*runs).splitlines()[2:9] == [
            "- Task: `films`, group `sentiment`, language `en`",
            "- Primary metric: `accuracy`, share of rows with the right class",
            "- Warning: the rows of this task hold offensive text.",
            "- Licence of the data: MIT",
            "- Paper: A. Author: \\*Films\\*, 2017",
            "- Homepage: <https://example.org/films?a=1>",
            "- A fifth of the rows.",
        ]


def test_a_page_of_runs_stored_before_they_knew_of_their_data_says_nothing_of_it():
    text = page(done())
    assert not any(word in text for word in ("Warning", "Licence", "Paper", "Homepage", "None"))


def test_an_address_that_is_none_is_no_link():
    assert "- Homepage: \\<script>alert()\\</script>" in page(done(about={"homepage": "<script>alert()</script>"}))


def test_what_differs_between_tables_stands_above_each():
    small = done(protocol={"train_size": 1000}, data={**DATA, "used": {"train": 1000, "test": 2443}})
    above, *_, below = page(done(data={**DATA, "used": {"train": 9775, "test": 2443}}), small).split("\n## ")
    assert "Data: files" in above
    assert below.startswith("1,000 training rows\n\n- Used: trained on 1,000 rows\n")
    assert "Data: files" not in below


def test_all_hardware_and_precisions_of_a_table_are_named():
    gpu = {**MACHINE, "device": "H100", "precision": "bf16", "processes": 8, "git": "9629bbecbdc48ec+changes"}
    text = page(done(), done("b", environment=gpu), done("c", environment={**MACHINE, "precision": "fp64"}))
    assert "- Hardware: H100, bf16, 8 processes" in text
    assert "- Hardware: Xeon (2 cores), fp32 and fp64, 1 process" in text
    assert "- Code: encoder-bench 0.1.0, 0.1.0 at 9629bbecbdc4+changes" in text


def test_only_precisions_that_are_known_are_named():
    unknown = done("b", environment={**MACHINE, "precision": None})
    assert "- Hardware: Xeon (2 cores), fp32, 1 process\n" in page(done(), unknown)
    assert "- Hardware: Xeon (2 cores), 1 process\n" in page(unknown)


def test_times_are_of_several_machines_where_these_or_known_precisions_differ():
    def told(**environment):
        return SEVERAL_MACHINES in page(done(), done("b", environment={**MACHINE, **environment}))

    assert not told() and not told(precision=None), "what trains no network computes in none"
    assert told(precision="bf16") and told(device="H100") and told(processes=2)


def test_costs_that_are_not_known_have_no_column():
    (row,) = cells(page(done(cost={"train_seconds": 1.0, "predict_seconds": 1.0, "peak_memory_mb": None})))
    assert row["train time"] == "1.0 s"
    assert not {"peak memory", "parameters"} & row.keys()
    unknown = page(done(cost={"train_seconds": 1.0, "predict_seconds": 1.0, "peak_memory_mb": None}))
    assert LEGEND["memory"] not in unknown and LEGEND["memory"] in page(done())


def test_names_and_errors_of_outside_do_not_break_a_table():
    text = page(done("a|b\n*c*"), failed("x", message="expected <class 'int'> | `y`"))
    assert "| a\\|b \\*c\\* |" in text
    assert "expected \\<class 'int'> \\| \\`y\\`" in text


def test_a_system_that_chooses_a_threshold_has_its_f1_beside_the_best_one_on_the_test_rows():
    ranked = {"accuracy": 0.8, "f1": 0.5, "best_f1": 0.625, "roc_auc": 0.75}
    text = page(done("cosine", metrics=ranked, training={"threshold": 0.1}), done("svm", metrics=ranked))
    assert "- cosine: F1 of the positive class 0.5000 at the threshold from validation rows, 0.6250 at the " in text
    assert "best one, chosen on the test rows themselves; ROC AUC 0.7500\n" in text
    assert text.count("threshold") == 1
