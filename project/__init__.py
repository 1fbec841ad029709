"""`make run`: the deployment of `tracking.server` with servers of its own."""
