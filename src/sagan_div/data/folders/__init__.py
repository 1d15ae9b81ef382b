"""A folder of images as a dataset: which images there are, what each is, how they part into splits and classes."""
