"""Where rows come from, how published formats are read, which rows are trained and scored, what is wrong with them."""
