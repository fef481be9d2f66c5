"""A study of how choosing on the test split flatters; its records can enter no comparison."""
