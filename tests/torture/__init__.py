"""Long harnesses, by `make torture`: each has a main that prints what it tried, survived and lost."""
