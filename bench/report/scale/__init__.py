"""Tables and figures from many records: made-up results folders, and what drawing them takes."""
