"""Whether the parts that Hitstream stands on are there: asked by probes, metrics, alerts and the
console, and never waited for long."""
