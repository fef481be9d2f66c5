"""One record in words: what it is, what it rests on, what rests on it, how to make it again."""
