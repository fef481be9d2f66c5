"""Two models against each other: everything in the records that bears on which is better."""
