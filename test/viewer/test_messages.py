"""What a page may send."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingbot_ros.errors import InputError
from lingbot_ros.viewer.messages import Ack, Drive, Request, Watch, parse


def test_good_messages() -> None:
    assert parse('{"type": "ack", "sequence": 3}') == Ack(3)
    assert parse('{"type": "watch", "visible": false}') == Watch(False)
    assert parse('{"type": "drive", "keys": "wdw"}') == Drive(0, "dw")
    assert parse('{"type": "drive", "stream": 2, "values": [1, 2.5]}') == Drive(2, "", (1.0, 2.5))
    assert parse('{"type": "request", "id": 1, "name": "futures", "count": 4}') == Request(1, "futures", {"count": 4})


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("{", "message"),
        ("[" * 20_000, "message"),
        ("[]", "message"),
        ('{"type": "x"}', "type"),
        ('{"type": "ack", "sequence": -1}', "sequence"),
        ('{"type": "ack", "sequence": true}', "sequence"),
        ('{"type": "drive", "keys": "wx"}', "keys"),
        ('{"type": "drive", "keys": 3}', "keys"),
        ('{"type": "drive", "stream": 7}', "stream"),
        ('{"type": "drive", "values": [NaN]}', "message"),
        ('{"type": "drive", "values": [1e999]}', "values"),
        ('{"type": "drive", "values": [true]}', "values"),
        ('{"type": "request", "id": 1, "name": "delete"}', "name"),
        ('{"type": "request", "id": 1, "name": "new_world", "seed": 1.5}', "seed"),
        ('{"type": "request", "id": 1, "name": "new_world", "seed": 99999999999}', "seed"),
        ('{"type": "request", "id": 1, "name": "pause", "paused": "yes"}', "paused"),
        ('{"type": "request", "id": 1, "name": "futures", "count": 1}', "count"),
        (json.dumps({"type": "request", "id": 1, "name": "prompt", "text": "\ud800"}), "text"),
        (json.dumps({"type": "request", "id": 1, "name": "prompt", "text": "x" * 100_000}), "text"),
    ],
)
def test_bad_messages_name_the_field(message: str, field: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(message)
    assert refused.value.field == field
    assert len(str(refused.value)) < 400


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5), st.text())
def test_any_json_is_taken_or_refused(value: object, key: str) -> None:
    for kind in ("ack", "watch", "drive", "request"):
        message = {"type": kind, "id": 1, "name": "step", key: value, "keys": value, "values": value}
        try:
            parse(json.dumps(message))
        except InputError:
            continue
