"""Two revisions of Hitstream in turns, on one machine: `python -m benchmarks.compare REV`.

`revisions` lays out the code of both sides, `side` runs one of them, `workloads` are what each side
does in a turn, `rounds` lets the sides take turns until `interval` is narrow enough, and `report`
puts the outcome into words. A revision is driven from outside only: by HTTP, by `manage.py`, by the
commands of its own `project.run` and by SQL whose table name is looked up, so that modules and
tables may have other names in each.
"""
