"""A validator for the part of JSON Schema (2020-12) that docs/openapi.json uses; anything else in it is an error."""

import json
import re

from harness import ROOT

TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
}
NOTES = {"description", "examples", "contentEncoding", "title"}


class Document:
    """The OpenAPI file, with its references followed."""

    def __init__(self, text=None):
        self.root = json.loads(text if text is not None else (ROOT / "docs" / "openapi.json").read_text())

    def follow(self, node):
        while "$ref" in node:
            at = self.root
            for step in node["$ref"].removeprefix("#/").split("/"):
                at = at[step]
            node = at
        return node

    def operations(self):
        """(path, method, operation)"""
        for path, item in self.root["paths"].items():
            for method, operation in item.items():
                yield path, method.upper(), operation

    def operation(self, path, method):
        return self.root["paths"][path][method.lower()]

    def answer(self, path, method, status):
        """The schema of that answer; KeyError when the operation does not tell of the status."""
        answer = self.follow(self.operation(path, method)["responses"][str(status)])
        return answer["content"]["application/json"]["schema"]

    def faults(self, schema, value, at="$"):
        """Why the value does not fit the schema: a list of texts, empty when it does."""
        out = []
        for word, wanted in schema.items():
            if word == "$ref":
                out += self.faults(self.follow(schema), value, at)
            elif word not in NOTES:
                out += getattr(self, "judge_" + word.lower())(schema, wanted, value, at)
        return out

    def check(self, schema, value):
        faults = self.faults(schema, value)
        assert not faults, "\n".join(faults[:10]) + f"\nin {json.dumps(value)[:2000]}"

    # ---- one function per keyword ----

    def judge_type(self, schema, wanted, value, at):
        names = wanted if isinstance(wanted, list) else [wanted]
        return [] if any(TYPES[n](value) for n in names) else [f"{at}: {value!r} is no {wanted}"]

    def judge_enum(self, schema, wanted, value, at):
        return [] if value in wanted else [f"{at}: {value!r} is none of {wanted}"]

    def judge_const(self, schema, wanted, value, at):
        return [] if value == wanted and type(value) is type(wanted) else [f"{at}: {value!r} is not {wanted!r}"]

    def judge_pattern(self, schema, wanted, value, at):
        return [] if not isinstance(value, str) or re.search(wanted, value) else [f"{at}: {value!r} is not {wanted}"]

    def judge_minlength(self, schema, wanted, value, at):
        return [f"{at}: too short"] if isinstance(value, str) and len(value) < wanted else []

    def judge_maxlength(self, schema, wanted, value, at):
        return [f"{at}: too long"] if isinstance(value, str) and len(value) > wanted else []

    def judge_minimum(self, schema, wanted, value, at):
        return [f"{at}: {value} < {wanted}"] if TYPES["integer"](value) and value < wanted else []

    def judge_maximum(self, schema, wanted, value, at):
        return [f"{at}: {value} > {wanted}"] if TYPES["integer"](value) and value > wanted else []

    def judge_minitems(self, schema, wanted, value, at):
        return [f"{at}: too few"] if isinstance(value, list) and len(value) < wanted else []

    def judge_items(self, schema, wanted, value, at):
        if not isinstance(value, list):
            return []
        return [f for i, one in enumerate(value) for f in self.faults(wanted, one, f"{at}[{i}]")]

    def judge_required(self, schema, wanted, value, at):
        return [f"{at}: {n} is missing" for n in wanted if isinstance(value, dict) and n not in value]

    def judge_properties(self, schema, wanted, value, at):
        if not isinstance(value, dict):
            return []
        return [f for n, s in wanted.items() if n in value for f in self.faults(s, value[n], f"{at}.{n}")]

    def judge_additionalproperties(self, schema, wanted, value, at):
        if wanted is True or not isinstance(value, dict):
            return []
        return [f"{at}: nobody knows {n}" for n in value if n not in schema.get("properties", {})]

    def judge_oneof(self, schema, wanted, value, at):
        found = [self.faults(one, value, at) for one in wanted]
        if sum(not faults for faults in found) == 1:
            return []
        return [f"{at}: fits none, or several, of {len(wanted)}: " + "; ".join(f for faults in found for f in faults[:2])]

    def judge_allof(self, schema, wanted, value, at):
        return [f for one in wanted for f in self.faults(one, value, at)]
