"""What looks at one tree in a process of its own, and imports that tree's code alone.

``bench.regress.processes`` starts each with the tree first on the path and this package put in the
place of whatever the tree has under its name: the instrument is the gate's, the rest is the
tree's. So nothing here may import another part of ``bench.regress``.
"""

from __future__ import annotations

ANSWER = "what the probe found: "
"""Before the JSON of an answer: a tree may print what it likes, before it and after."""
