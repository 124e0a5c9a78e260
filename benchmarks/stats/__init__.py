"""Statistics of scores: intervals over seeds and test rows, paired tests, places with ties. Pure."""
