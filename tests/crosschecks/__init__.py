"""The same systems by software that no one here wrote: scripts that use nothing of `benchmarks`, and the comparison.

    cd tests && python -m crosschecks --data-dir DIR    # all that are not kept yet, and results/CROSSCHECKS.md
    cd tests && python -m crosschecks --data-dir DIR tfidf-svm-rotten-tomatoes    # one of them

Each script reads the published files, trains or scores by itself, and prints its scores as JSON; `compared` alone knows
the stored runs.
"""
