"""Commands that show what each verb is for; --help ends with them, and a test holds that each is taken."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "run": (
        ("the main job; the same command goes on where it stopped", "--tasks ner,news --data-dir DIR"),
        ("without data or network", "--tasks ner,news --sample"),
        ("what would be run, and how long it would take", "--tasks mit-movie --systems bert,classical --dry-run"),
        ("a learning curve on the bundled encoder", "--tasks mit-movie --systems minilm --train-sizes 100,1000,all"),
        ("a grid of recipes, two at a time", "--tasks sst2 --systems minilm --set recipe.epochs=2,3 --jobs 2"),
        ("with losses and scores in TensorBoard", "--tasks sst2 --systems minilm --report-to tensorboard"),
        ("on the machines of a Ray cluster", "--tasks ner,news --data-dir DIR --ray HOST:6379"),
        ("your own task and encoder", "--tasks ./mine.yaml --systems org/some-encoder,./my-checkpoint"),
        ("exactly what a reported number needs", "--claims S3-bert --dry-run"),
    ),
    "list": (("tasks, systems and metrics", ""), ("systems alone", "systems")),
    "validate": (
        ("every definition of the suite", ""),
        ("a task of yours, and the data behind it", "./mine.yaml --data-dir DIR"),
        ("claims of yours", "--claims ./mine-claims.yaml"),
    ),
    "leaderboard": (("tables from stored runs alone", ""),),
    "claims": (
        ("all verdicts, and RESULTS/CLAIMS.md", ""),
        ("one claim with its evidence", "S3-bert"),
        ("your own beside the suite's", "--claims ./mine-claims.yaml"),
    ),
    "new-task": (
        ("a fifth of the rows is held out as test rows", "data/reviews/train.csv"),
        ("published splits", "data/reviews/train.csv --validation data/reviews/dev.csv --test data/reviews/test.csv"),
        ("a data set on the Hugging Face Hub", "cornell-movie-review-data/rotten_tomatoes"),
        ("columns that should not be guessed", "data/reviews/train.csv --text review --label stars"),
    ),
    "describe": (
        ("a task", "mit-movie"),
        ("a system: what it does, and with which recipe", "minilm"),
        ("its runs on a task, or one of them", "mit-movie/minilm"),
    ),
    "predict": (
        ("a model that was kept (run --keep-models)", 'mit-movie/minilm --text "films by mel brooks"'),
        ("many texts, one a line", "sst2/minilm --file texts.txt"),
    ),
    "report": (
        ("the page, from stored runs alone", ""),
        ("with the texts of rows that systems get wrong", "--data-dir DIR"),
        ("with those of a task of yours", "--data-dir DIR --tasks ./mine.yaml"),
    ),
    "export": (
        ("a row a run, for pandas", "--format parquet --output runs.parquet"),
        ("the leaderboard for a paper", "--format latex --tasks mit-movie,rotten-tomatoes"),
        ("a model card's results", "--format model-index --systems minilm"),
    ),
    "compare": (
        ("is the difference more than chance, and where do they differ?", "minilm tfidf-svm --task rotten-tomatoes"),
        ("by another metric", "minilm tfidf-svm --task fox-news-comments --metric average_precision"),
    ),
    "again": (
        ("is the leaderboard's row of a system true?", "tfidf-svm --data-dir DIR"),
        ("on one of its tasks", "minilm --tasks fox-news-comments --data-dir DIR"),
    ),
    "leaks": (("every task that has runs", "--data-dir DIR"), ("one task", "wikiann-de --data-dir DIR")),
    "speed": (
        ("everything, on real tasks", "--data-dir DIR"),
        ("one fine-tuning beside the reference loops", "training --sample --rows 400"),
    ),
    "completion": (("for this shell; in ~/.bashrc for every one: source <(encoder-bench completion bash)", "bash"),),
    "fetch": (("for use without network", "--tasks sst2,imdb --systems bert-base,roberta-base"),),
}
