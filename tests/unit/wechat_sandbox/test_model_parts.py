"""Reading a prompt, choosing a passage, filling a schema, hashing a text."""

import math
from typing import Any

import pytest

from wechat_sandbox.model.answering import Answer, Passage, Reading, answer, overlap, read_prompt
from wechat_sandbox.model.embeddings import embed
from wechat_sandbox.model.filling import fill

SURE = Answer(True, "七天内可以退。", (2,))
UNSURE = Answer(False, "要问同事。", ())
READING = Reading("可以退货吗", ())


def test_passages_are_found_wherever_they_stand() -> None:
    user = "资料：\n[1] 第一条\n接着第一条\n\n[2] 第二条\n问题：几点发货？"
    reading = read_prompt([("system", "只按资料回答\n[7] 第七条"), ("user", user)])
    assert reading.question == "几点发货？"
    assert reading.passages == (
        Passage(7, "第七条"),
        Passage(1, "第一条\n接着第一条"),
        Passage(2, "第二条"),
    )


def test_without_a_label_the_last_line_of_the_last_user_message_is_the_question() -> None:
    reading = read_prompt([("user", "旧问题"), ("assistant", "[9] 不是资料"), ("user", "您好\n有大码吗")])
    assert reading == Reading("有大码吗", ())


def test_the_answer_part_of_a_passage_is_said() -> None:
    passages = (Passage(1, "问题：可以退货吗\n答案：七天内可以。"), Passage(2, "问题：怎么付款\n答案：微信。"))
    assert answer(Reading("能退货吗", passages)) == Answer(True, "七天内可以。", (1,))


def test_a_passage_without_labels_gives_its_fitting_sentences() -> None:
    text = "本店在人民路。每天十点开门，晚上九点关门。周一休息。停车在后院。"
    said = answer(Reading("几点开门", (Passage(4, text),)))
    assert (said.can_answer, said.evidence) == (True, (4,))
    assert "十点开门" in said.text


@pytest.mark.parametrize("question", ["", "？？", "老板姓什么", "能开发票吗", "hello"])
def test_what_no_passage_holds_is_not_answered(question: str) -> None:
    passages = (Passage(1, "问：可以退货吗？答：七天内可以。"), Passage(2, "问：几点发货？答：下午四点。"))
    assert answer(Reading(question, passages)).can_answer is False


def test_overlap_is_between_nothing_and_all() -> None:
    assert overlap("退货运费", "退货运费谁出") == 1.0
    assert overlap("退货运费", "营业时间") == 0.0
    assert 0.0 < overlap("退货运费", "运费多少") < 1.0


def test_a_schema_with_references_and_choices_is_filled() -> None:
    schema: dict[str, Any] = {
        "$defs": {
            "Inner": {"type": "object", "properties": {"answer": {"anyOf": [{"type": "null"}, {"type": "string"}]}}}
        },
        "type": "object",
        "properties": {
            "reply": {"$ref": "#/$defs/Inner"},
            "can_answer": {"type": "boolean"},
            "hand_over": {"type": "boolean"},
            "evidence": {"type": "array", "items": {"type": "integer"}},
            "sources": {"type": "array", "items": {"type": "string"}},
            "tone": {"enum": ["kind", "short"]},
            "confidence": {"type": "number"},
            "summary": {"type": ["string", "null"]},
            "count": {"type": "integer", "minimum": 1},
            "kind": {"const": "reply"},
        },
    }
    assert fill(schema, SURE, READING) == {
        "reply": {"answer": "七天内可以退。"},
        "can_answer": True,
        "hand_over": False,
        "evidence": [2],
        "sources": ["2"],
        "tone": "kind",
        "confidence": 0.9,
        "summary": "顾客问：可以退货吗",
        "count": 1,
        "kind": "reply",
    }
    assert fill(schema, UNSURE, READING)["can_answer"] is False
    assert fill(schema, UNSURE, READING)["hand_over"] is True


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    schema: dict[str, Any] = {
        "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
        "$ref": "#/$defs/Node",
    }
    assert isinstance(fill(schema, SURE, READING), dict)


@pytest.mark.parametrize("text", ["", "有没有大码", "hello world", "👍"])
def test_vectors_have_length_one(text: str) -> None:
    assert math.isclose(sum(value * value for value in embed(text, 64)), 1.0)
    assert embed(text, 64) == embed(text, 64)
