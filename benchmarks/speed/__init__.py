"""How fast this machine trains: our ways beside reference loops, in turn, on the same rows and steps."""

PARTS = ("training", "frozen", "many", "starting", "vocabulary", "together", "growth", "gpu")
"""Of the page, in its order."""
