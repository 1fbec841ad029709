"""What the roll-up counts hits by. `rollup_job.sql` spells the same names."""

from __future__ import annotations

#: Dimensions: all hits by hour and by day, users by day, and by day the values of further
#: properties.
HOUR, DAY, USER, PAGE, CAMPAIGN = "hour", "day", "user", "page", "campaign"
#: A breakdown's dimension is this prefix and the property's name.
PROPERTY = "property:"
#: The value that stands for all values without a row of their own.
OTHER = "(other)"
#: Values with a row of their own, for each day, token, event and dimension; and events, for each
#: day and token.
MAX_VALUES = 200
MAX_NAMES = 500
