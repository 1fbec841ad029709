"""Expressions of somebody who wants them to take for ever: written down, and generated."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

#: Between the dot and the name of a macro.
GAPS = ("", " ", "\n", "\t", "//\n", "// x\n", "//all(\n \t//\n", "\f")
MACROS = ("all", "exists", "exists_one", "existsOne", "map", "filter", "transformList")


def nested(macro: str, gap: str, levels: int) -> str:
    text = "true"
    for level in range(levels):
        text = f"[1,1,1].{gap}{macro}{gap}(x{level}, {text})"
    return text


CONDITIONS = (
    *(nested(macro, gap, 12 if len(gap) < 4 else 6) for macro in MACROS for gap in GAPS),
    nested("all", "//\n", 6).replace("x", "name"),
    "has(properties.boom) && " + nested("exists", "//\n", 9),
    "[properties]\n.\n//\nmap\n(name, name)",
    "properties.list.map(x, properties.list.map(y, properties.list.map(z, x + y + z))) == []",
    r"name.matches(r'\w{900}y')",
    r"name.matches('\\w{900}y')",
    r"name.matches('\x5cw\x7b900\x7dy')",
    r"name.matches('(((((a{9}){9}){9}){9}){9}){9}')",
    r"name.matches('([\\w\\s]{30}){30}')",
    r"name.matches('\\p{L}{300}')",
    "name.matches(properties.pattern)",
    "name.matches('a' + properties.pattern)",
    "name . matches (name)",
    " || ".join(["name.matches('(a|b|c)*d')"] * 16),
    "(" * 240 + "true" + ")" * 240,
    "[" * 240 + "]" * 240 + " == []",
    "!" * 490 + "true",
    "-" * 490 + "1 == 1",
    "{1:" * 100 + "1" + "}" * 100 + " == {}",
    "true ? " * 60 + "true" + " : true" * 60,
    "+".join(["name"] * 100) + " == ''",
    "+".join(["properties.long"] * 30) + " == ''",
    "+".join(["[properties.list]"] * 27) + " == []",
    "properties.list + properties.list == properties.list + properties.list",
    "properties in [" + ",".join(["properties"] * 40) + "]",
    "string(properties) == ''",
    "9" * 490 + " > 1",
    "1e" + "9" * 480 + " > 1.0",
    '"' + "x" * 490 + '" == name',
    "name" + ".a" * 240 + " == 1",
    "name" + "[0]" * 160 + " == 1",
    "cel.bind(x, [1, 1], x + x) == []",
    "optional.of(properties).orValue(1) == 1",
    "`all`(name)",
    "[1].`map`(x, x) == []",
    "google.protobuf.Any{value: 1} == 1",
    "\\u0061ll == 1",
    "[1].\u0430ll(x, true)",
    "'''" + "x" * 480,
    "/*" + "[1].all(x, true)" + "*/ true",
)
PATHS = (
    "sort(properties.list)",
    "sort(sort(sort(properties.list)))",
    "sort_by(properties.rows, &a) | sort_by(@, &a) | sort_by(@, &a)",
    "map(&sort(@), properties.rows[].list)",
    "map(&map(&map(&@, @), @), properties.lists)",
    "properties.rows[?contains(to_string(@), 'x')]",
    "properties.rows[*].list[*].list[*].list[*]",
    "to_string(to_string(to_string(@)))",
    "join(to_string(@), properties.texts)",
    "join('" + "x" * 400 + "', properties.texts)",
    "[" + ",".join(["@"] * 50) + "]",
    "{" + ",".join(f"a{n}:@" for n in range(50)) + "}",
    "[" * 240 + "]" * 240,
    "(" * 240 + "name" + ")" * 240,
    "!" * 490 + "name",
    "&" * 400 + "name",
    "name" + " || name" * 60,
    "name" + " | name" * 60,
    ".".join("a" * 240),
    "a" + "[*]" * 150,
    "a" + "[]" * 200,
    "a" + "[::1]" * 90,
    "properties.list[::-1] | sort(@) | reverse(@)",
    "`" + "[" * 240 + "]" * 240 + "`",
    "`" + "9" * 490 + "`",
    "`1e" + "9" * 400 + "`",
    "'" + "x" * 480 + "'",
    '"\\ud800"',
    '`"\\ud800"`',
    "to_number('1e999')",
    "ceil(to_number('1e999'))",
    "sum(properties.texts)",
    "max_by(properties.rows, &to_string(@))",
    "properties.rows[?list[?@ > `1`]]",
    "keys(merge(@, @, @, @, @))",
)

ATOMS = ("name", "properties", "properties.list", "properties.long", "1", "'a'", "true", "[1,1,1]")
WRAPS: tuple[Callable[[random.Random, str], str], ...] = (
    lambda dice, x: f"[1,1,1].{dice.choice(GAPS)}{dice.choice(MACROS)}{dice.choice(GAPS)}(v, {x})",
    lambda dice, x: f"({x})",
    lambda dice, x: f"[{x}, {x}]",
    lambda dice, x: f"{x} + {x}",
    lambda dice, x: f"{{1: {x}}}",
    lambda dice, x: f"!({x})",
    lambda dice, x: f"{x}.matches('(\\\\w{{{dice.randint(1, 999)}}}){{{dice.randint(1, 99)}}}')",
    lambda dice, x: f"size({x}) > {dice.randint(0, 10**18)}",
    lambda dice, x: f"string({x}) == {x}",
    lambda dice, x: f"{x} ? {x} : {x}",
    lambda dice, x: f"{x} in {x}",
    lambda dice, x: f"{x} && has(properties.{dice.choice('abc')})",
    lambda dice, x: f"// {x}\n{x}",
    lambda dice, x: f"sort({x})",
    lambda dice, x: f"map(&{x}, properties.rows)",
    lambda dice, x: f"{x}[?{x}]",
    lambda dice, x: f"to_string({x})",
    lambda dice, x: f"join(',', {x})",
    lambda dice, x: f"{x}[*] | {x}",
    lambda dice, x: f"sort_by(properties.rows, &{x})",
)
NOISE = "()[]{}.,&|!?:'\"`\\/*+-%<>=@#$ \t\n\0é\U0001f600abz019"


def generated(seed: int) -> Iterator[str]:
    """Yield expressions without end, the same for the same seed: most are refused, some run, some
    are damaged."""
    dice = random.Random(seed)
    while True:
        text = dice.choice(ATOMS)
        for _ in range(dice.randint(1, 12)):
            longer = dice.choice(WRAPS)(dice, text)
            if len(longer) > 500:
                break
            text = longer
        if dice.random() < 0.2:
            place = dice.randrange(len(text))
            text = text[:place] + "".join(dice.choices(NOISE, k=3)) + text[place:]
        yield text[:500]
