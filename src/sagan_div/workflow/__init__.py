"""Jobs, their files and records: what is to be done, and what no longer fits."""
