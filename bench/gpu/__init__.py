"""What a GPU that is at hand for minutes is used for: steps in order, one archive, merged by id."""
