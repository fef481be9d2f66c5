"""The training engine on trial: what it costs beside a plain loop, what a kill loses."""
