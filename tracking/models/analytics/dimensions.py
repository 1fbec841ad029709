"""What the roll-up counts hits by. `rollup_job.sql` spells the same names."""

from __future__ import annotations

#: Dimensions: all hits by hour and by day, users by day, and by day what further ones say.
HOUR, DAY, USER, PAGE, CAMPAIGN = "hour", "day", "user", "page", "campaign"
#: A breakdown's dimension is this and the property's name.
PROPERTY = "property:"
#: What stands for the values that have no row of their own.
OTHER = "(other)"
#: Values that have one, of a token's day, event and dimension; and events, of a token's day.
MAX_VALUES = 200
MAX_NAMES = 500
