"""Secrets that don't leak, sealed values that open in their place alone."""

import copy
import json
import os
import pickle
import stat
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from huitouke.kernel import keys
from huitouke.kernel.keys import KeyRing, KeysError, Secret, UnsealError
from huitouke.kernel.settings import Settings

PLACE = "tenant|wecom_apps|secret_sealed|row"


class Credentials(BaseModel):
    name: str
    api_key: Secret


def test_a_secret_is_given_only_on_purpose():
    secret = Secret("sk-123")

    assert secret.reveal() == "sk-123"
    assert "sk-123" not in repr(secret)
    assert copy.deepcopy(secret) == secret


@pytest.mark.parametrize(
    "leak",
    [str, lambda s: f"{s}", pickle.dumps, json.dumps, orjson.dumps, lambda s: {s: 1}, "{}".format],
    ids=["str", "f-string", "pickle", "json", "orjson", "dict key", "format"],
)
def test_no_ordinary_way_prints_or_serialises_a_secret(leak):
    with pytest.raises(TypeError):
        leak(Secret("sk-123"))


def test_a_model_takes_a_secret_and_never_gives_it():
    read = Credentials.model_validate_json('{"name": "model", "api_key": "sk-123"}')

    assert read.api_key.reveal() == "sk-123"
    assert "sk-123" not in repr(read)
    with pytest.raises(Exception, match="can't be serialised"):
        read.model_dump()
    with pytest.raises(Exception, match="can't be serialised"):
        read.model_dump_json()
    assert Credentials.model_json_schema()["properties"]["api_key"]["writeOnly"] is True


def test_half_a_character_is_no_secret():
    with pytest.raises(ValidationError):
        Credentials.model_validate({"name": "model", "api_key": json.loads('"sk-\\ud800"')})


@given(st.text())
def test_what_was_sealed_opens_in_its_place(text: str):
    ring = keys.make_ring()
    assert ring.unseal(PLACE, ring.seal(PLACE, Secret(text))).reveal() == text


def test_a_sealed_value_opens_nowhere_else():
    ring = keys.make_ring()
    sealed = ring.seal(PLACE, Secret("sk-123"))

    for elsewhere in ("other|wecom_apps|secret_sealed|row", "tenant|wecom_apps|secret_sealed|row2", ""):
        with pytest.raises(UnsealError):
            ring.unseal(elsewhere, sealed)


def test_the_same_secret_never_looks_the_same_twice():
    ring = keys.make_ring()
    assert ring.seal(PLACE, Secret("x")) != ring.seal(PLACE, Secret("x"))


@pytest.mark.parametrize(
    "damage", ["", "plain text", "v2.a.b.c", "v1.nobody.AAAA.BBBB", "v1.{kid}.!!.??", "v1.{kid}.AAAA."]
)
def test_damaged_values_are_refused(damage: str):
    ring = keys.make_ring()
    with pytest.raises(UnsealError):
        ring.unseal(PLACE, damage.replace("{kid}", ring.first_kid))


def test_the_first_key_seals_and_all_open():
    old = keys.make_ring()
    sealed_before = old.seal(PLACE, Secret("before"))

    ring = old.with_new_first()

    assert ring.unseal(PLACE, sealed_before).reveal() == "before"
    assert ring.seal(PLACE, Secret("after")).split(".")[1] == ring.first_kid != old.first_kid
    with pytest.raises(UnsealError):
        ring.without_old().unseal(PLACE, sealed_before)


def test_signatures_are_bound_to_label_and_ring():
    old = keys.make_ring()
    ring = old.with_new_first()
    signature = old.sign("files", b"message")

    assert ring.verify("files", b"message", signature)
    assert not ring.verify("visitors", b"message", signature)
    assert not ring.verify("files", b"massage", signature)
    assert not keys.make_ring().verify("files", b"message", signature)


def test_a_ring_survives_being_written_down_and_its_fingerprint_gives_nothing_away():
    ring = keys.make_ring().with_new_first()
    again = KeyRing.parse(ring.serialise())

    assert again == ring
    assert again.fingerprint() == ring.fingerprint()
    assert ring.serialise().split(":")[1][:10] not in ring.fingerprint()
    assert ring.serialise() not in repr(ring)


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "empty"), ("nocolon", "kid:base64"), ("a:???", "base64"), ("a:AAAA", "bytes"), ("A B:AAAA", "kid:base64")],
)
def test_a_malformed_ring_is_refused_with_its_reason(text: str, word: str):
    with pytest.raises(KeysError, match=word):
        KeyRing.parse(text)


def test_the_key_file_is_private_and_not_overwritten(tmp_path: Path):
    settings = Settings(data_dir=tmp_path, keys_file=tmp_path / "keys", database_url=None, keys=None)
    made = keys.ensure_ring(settings)

    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600
    assert keys.ensure_ring(settings) == made
    with pytest.raises(FileExistsError):
        keys.write_ring(tmp_path / "keys", keys.make_ring())
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path):
    settings = Settings(data_dir=tmp_path, keys_file=tmp_path / "keys", database_url=None, keys=None)
    keys.ensure_ring(settings)
    os.chmod(tmp_path / "keys", 0o644)
    with pytest.raises(KeysError, match="chmod 600"):
        keys.read_ring(settings)


def test_with_a_database_elsewhere_no_ring_is_made_silently(tmp_path: Path):
    settings = Settings(data_dir=tmp_path, database_url="postgresql://db/x", keys=None, keys_file=None)
    with pytest.raises(KeysError, match="huitouke keys make"):
        keys.ensure_ring(settings)


def test_the_place_of_a_value_names_tenant_table_column_and_row():
    tenant_id, row_id = uuid4(), uuid4()
    assert keys.place(tenant_id, "t", "c", row_id) == f"{tenant_id}|t|c|{row_id}"
