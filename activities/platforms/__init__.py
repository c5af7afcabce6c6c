"""Chat platforms, as the activities fetch, reply and accompany use them."""
