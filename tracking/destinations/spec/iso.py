"""ISO codes: names and codes as senders write them in, codes out.

The tables are those of pycountry: ISO 3166-1 for countries, 3166-2 for their states and regions,
4217 for currencies.
"""

from __future__ import annotations

from functools import cache, lru_cache

import pycountry

#: Names that people use and that are in no table.
COMMON = {"uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "russia": "RU"}


@lru_cache(maxsize=4_096)
def country_code(value: str) -> str:
    """Return the two letters of ISO 3166-1 in capitals, for a code of two or three letters or an
    English name; "" for anything else."""
    name = value.replace(".", "").strip().lower()
    if not name.replace(" ", "").replace("-", "").isalpha():
        name = value.strip().lower()
    if not name or name.isdigit():
        return ""
    if name in COMMON:
        return COMMON[name]
    try:
        return str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return ""


@lru_cache(maxsize=4_096)
def state_code(value: str, country: str) -> str:
    """Return the code of the state without its country, in capitals, for a code or a name; "" if
    the country has no such state. `country` are two letters."""
    name = value.strip().lower()
    return _states(country.upper()).get(name, "")


@cache
def _states(country: str) -> dict[str, str]:
    """Return the codes of a country's states by their names and codes in lower case."""
    states = [each for each in pycountry.subdivisions if each.country_code == country]
    codes = {each.code: each.code.partition("-")[2] for each in states}
    names = {each.name.lower(): codes[each.code] for each in states}
    whole = {each.lower(): code for each, code in codes.items()}
    return names | whole | {code.lower(): code for code in codes.values()}


def is_currency(code: str) -> bool:
    """Return whether the capitals are a code of ISO 4217."""
    return code in _currencies()


@cache
def _currencies() -> frozenset[str]:
    return frozenset(each.alpha_3 for each in pycountry.currencies)
