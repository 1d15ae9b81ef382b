"""Networks and images -> a trained run."""
