"""Fills a JSON schema with an answer: by the name of a property where it is known, else by its type."""

from typing import Any

from wechat_sandbox.model.answering import Answer, Reading

DEPTH_LIMIT = 8
SUMMARY_LIMIT_CHARACTERS = 80


def fill(schema: dict[str, Any], answer: Answer, reading: Reading) -> Any:
    """A value that fits the schema, holding the answer, its evidence and whether there is one."""
    return _Filler(schema, answer, reading).value(schema, "", 0)


class _Filler:
    def __init__(self, root: dict[str, Any], answer: Answer, reading: Reading) -> None:
        self._definitions = {**root.get("$defs", {}), **root.get("definitions", {})}
        self._answer = answer
        self._reading = reading

    def value(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        schema = self._resolve(schema)
        if depth > DEPTH_LIMIT:
            return None
        if "const" in schema:
            return schema["const"]
        match self._type(schema):
            case "object":
                properties = schema.get("properties", {})
                return {key: self.value(part, key, depth + 1) for key, part in properties.items()}
            case "array":
                return self._array(schema, name, depth)
            case "boolean":
                return self._boolean(name)
            case "integer":
                return self._integer(schema, name)
            case "number":
                return 0.9 if self._answer.can_answer else 0.1
            case "string":
                return self._string(schema, name)
            case _:
                return None

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Follows $ref and takes the first branch of anyOf that is not null."""
        for _ in range(DEPTH_LIMIT):
            if "$ref" in schema:
                schema = self._definitions.get(str(schema["$ref"]).rsplit("/", 1)[-1], {})
                continue
            branches = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
            if not branches:
                break
            schema = next((branch for branch in branches if branch.get("type") != "null"), branches[0])
        return schema

    def _type(self, schema: dict[str, Any]) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        if kind is None:
            kind = "object" if "properties" in schema else "string" if "enum" in schema else "null"
        return str(kind)

    def _array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        items = self._resolve(schema.get("items", {}))
        if _names(name, "evidence", "source", "citation", "passage", "reference", "used", "ids"):
            numbers = self._answer.evidence
            return [str(number) for number in numbers] if self._type(items) == "string" else list(numbers)
        return [self.value(items, name, depth + 1)] if schema.get("minItems", 0) > 0 else []

    def _boolean(self, name: str) -> bool:
        can = self._answer.can_answer
        if _names(name, "handover", "hand_over", "escalate", "unsure", "unknown", "needs_human"):
            return not can
        return can

    def _integer(self, schema: dict[str, Any], name: str) -> int:
        if _names(name, "evidence", "source", "passage", "id") and self._answer.evidence:
            return self._answer.evidence[0]
        return int(schema.get("minimum", 0))

    def _string(self, schema: dict[str, Any], name: str) -> str:
        if options := schema.get("enum"):
            return str(options[0])
        if _names(name, "question", "query", "rewrite"):
            return self._reading.question
        if _names(name, "summary", "reason"):
            return f"顾客问：{self._reading.question}"[:SUMMARY_LIMIT_CHARACTERS]
        if _names(name, "answer", "reply", "text", "content", "message", "response"):
            return self._answer.text
        return ""


def _names(name: str, *parts: str) -> bool:
    return any(part in name.lower() for part in parts)
