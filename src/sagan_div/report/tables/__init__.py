"""Results -> tables for readers and for programs: a module for each."""
