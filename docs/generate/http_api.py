"""The HTTP API page, from the OpenAPI document that the server shows at /api/schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from docs.generate.markdown import code, codes, fence, joined, table

Node = Mapping[str, Any]

METHODS = ("get", "post", "head", "put", "patch", "delete")
SECURITY = "components/securitySchemes"


def read_document() -> dict[str, Any]:
    """Return the document as `manage.py spectacular` prints it."""
    from tracking.openapi.generator import Generator  # noqa: PLC0415 (after django.setup())

    document: dict[str, Any] = Generator().get_schema(request=None, public=True)
    return document


def as_json(document: Node) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"


def write(document: Node) -> str:
    page = Page(document)
    return joined(
        "# HTTP API",
        "[openapi.json](openapi.json) is the whole document, OpenAPI "
        f"{document['openapi']}. [Sending hits](sending-hits.md) has the same in short.",
        document["info"]["description"],
        *page.tags(),
        "## Schemas",
        "A field that a schema does not name is free-form.",
        *(page.schema_section(name) for name in sorted(document["components"]["schemas"])),
        "## Security schemes",
        table(("scheme", ""), page.schemes()),
    )


class Page:
    def __init__(self, document: Node) -> None:
        self.document = document
        self.components: Node = document["components"]

    def schemes(self) -> Iterator[tuple[str, str]]:
        for name, scheme in sorted(self.components["securitySchemes"].items()):
            yield code(name), scheme["description"]

    def tags(self) -> Iterator[str]:
        operations = [
            (path, method, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
            if method in METHODS
        ]
        for tag in self.document["tags"]:
            yield f"## {tag['name']}"
            yield tag["description"]
            for path, method, operation in operations:
                if tag["name"] in operation["tags"]:
                    yield self.operation(path, method, operation)

    def operation(self, path: str, method: str, operation: Node) -> str:
        return joined(
            f"### {method.upper()} {path}",
            f"**{operation['summary']}.** {operation['description']}",
            self.security(operation),
            table(
                ("parameter", "in", ""),
                (
                    (code(each["name"]), each["in"], self.parameter(each))
                    for each in operation["parameters"]
                ),
            ),
            *self.bodies(operation.get("requestBody", {})),
            table(("answer", "codes", ""), self.answers(operation["responses"])),
        )

    def security(self, operation: Node) -> str:
        names = [code(name) for each in operation["security"] for name in each]
        return f"Security: {' or '.join(names)}." if names else "Security: none."

    def parameter(self, parameter: Node) -> str:
        parts = [parameter.get("description", ""), self.type_of(parameter.get("schema", {}))]
        return " ".join(part for part in (*parts, self.required(parameter)) if part)

    def required(self, parameter: Node) -> str:
        return "Required." if parameter.get("required") else ""

    def bodies(self, body: Node) -> Iterator[str]:
        for media_type, content in body.get("content", {}).items():
            yield f"Body, {code(media_type)}: {self.type_of(content.get('schema', {}))}"
            for example in content.get("examples", {}).values():
                value = example["value"]
                text = value if isinstance(value, str) else as_json(value)
                yield f"{example.get('summary', 'Example')}:"
                yield fence("json", text)

    def answers(self, responses: Node) -> Iterator[tuple[str, str, str]]:
        for status, response in responses.items():
            headers = codes(response.get("headers", {}))
            text = response["description"] + (f" With {headers}." if headers else "")
            yield code(status), codes(self.codes_of(response), " "), text

    def codes_of(self, response: Node) -> list[str]:
        for content in response.get("content", {}).values():
            properties = content.get("schema", {}).get("properties", {})
            if "code" in properties:
                found: list[str] = properties["code"].get("enum", [])
                return found
        return []

    def schema_section(self, name: str) -> str:
        schema = self.components["schemas"][name]
        return joined(
            f"### {name}",
            schema.get("description", ""),
            "" if "properties" in schema else self.type_of(schema),
            table(("field", "type", ""), self.fields(schema)),
        )

    def fields(self, schema: Node) -> Iterator[tuple[str, str, str]]:
        required = schema.get("required", ())
        for name, each in schema.get("properties", {}).items():
            text = each.get("description", "")
            yield code(name), self.type_of(each), f"Required. {text}" if name in required else text

    def type_of(self, schema: Node) -> str:
        """Return what the schema allows, in a few words."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        for key, word in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")):
            if key in schema and "type" not in schema:
                return word.join(filter(None, map(self.type_of, schema[key])))
        return self.simple(schema)

    def simple(self, schema: Node) -> str:
        if "const" in schema:
            return code(json.dumps(schema["const"]))
        if "enum" in schema:
            return codes(schema["enum"])
        kinds = schema.get("type", [])
        text = " or ".join([kinds] if isinstance(kinds, str) else kinds)
        if "items" in schema:
            text += f" of {self.type_of(schema['items'])}"
        return text + self.limits(schema)

    def limits(self, schema: Node) -> str:
        words = {
            "format": "{}",
            "maxLength": "at most {} characters",
            "minimum": "at least {}",
            "maximum": "at most {}",
            "pattern": "matching `{}`",
        }
        found = [text.format(schema[key]) for key, text in words.items() if key in schema]
        return f" ({', '.join(found)})" if found else ""
