"""A vision-language model that drives: what it is asked, what it may answer, and what becomes of the answer."""
