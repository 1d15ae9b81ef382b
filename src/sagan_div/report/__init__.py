"""What the runs of a study left behind -> metrics, tables, figures, claims and one page that people read."""
