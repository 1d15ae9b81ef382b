"""A workflow-managed reproduction of "Enhanced Full Attention Generative Adversarial Networks" (SAGAN-div, 2023)."""

__version__ = "0.2.0"
