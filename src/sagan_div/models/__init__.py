"""Networks, their files, and what they draw."""
