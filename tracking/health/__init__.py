"""The health of the components below Hitstream, for probes, metrics, alerts and the console. No
caller waits long.
"""
