"""The records: their schema and their store; every number the reports show comes from here."""
