"""The faults that can be switched on, and the dice that decide when one strikes."""

import random
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Milliseconds = Annotated[int, Field(ge=0, le=600_000)]

ModelMode = Literal["normal", "slow", "hang", "babble", "error", "invalid_json", "cut_stream"]


class Faults(BaseModel):
    """All switches. The defaults are a healthy WeCom; probabilities are 0 to 1 per call, callback or message."""

    model_config = ConfigDict(extra="forbid")

    callback_delay_ms: Milliseconds = Field(0, description="Each callback waits this long before it is sent.")
    callback_delay_jitter_ms: Milliseconds = Field(0, description="Up to this much more, at random.")
    callback_loss_probability: Probability = Field(0.0, description="The callback is never sent.")
    callback_double_probability: Probability = Field(0.0, description="The callback is sent twice.")
    callback_reorder_probability: Probability = Field(
        0.0, description="The callback is held back for callback_reorder_hold_ms, so that later ones overtake it."
    )
    callback_reorder_hold_ms: Milliseconds = Field(500, description="How long a reordered callback is held.")
    callback_retry_on_non_200: bool = Field(
        True, description="Repeat when the answer is not 200 (path/90238 says so, path/90930 does not)."
    )
    callback_retry_delay_ms: Milliseconds = Field(1_000, description="Pause before each of the three repeats.")
    callback_timeout_ms: Annotated[int, Field(ge=50, le=60_000)] = Field(5_000, description="5 s in reality.")

    api_paths: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="The api_ faults strike only paths that begin with one of these, e.g. kf/send_msg; empty: all.",
    )
    api_5xx_probability: Probability = Field(0.0, description="HTTP 502 before the call is looked at.")
    api_busy_probability: Probability = Field(0.0, description="errcode -1 before the call is looked at.")
    api_rate_limit_probability: Probability = Field(0.0, description="errcode 45009 before the call is looked at.")
    api_answer_lost_probability: Probability = Field(
        0.0, description="The call takes effect, but its answer is HTTP 504: was it accepted or not?"
    )
    api_delay_ms: Milliseconds = Field(0, description="Each call takes this much longer.")
    api_garbled_probability: Probability = Field(
        0.0, description="A page of a proxy comes back in place of the answer, as behind a sign-in of the network."
    )
    api_errcode: Annotated[int, Field(ge=-1, le=999_999_999)] | None = Field(
        None, description="Each call answers this errcode, before it is looked at."
    )
    caller_address: Annotated[str, Field(max_length=45)] = Field(
        "", description="The address that calls seem to come from, as when the caller's way out has changed."
    )
    api_frequency_limits: bool = Field(
        False, description="Enforce 10,000 calls a minute per corp and API (45009); off so that load tests can run."
    )
    token_calls: Annotated[int, Field(ge=1)] | None = Field(
        None, description="A token dies (40014) after so many calls."
    )
    sync_empty_page_probability: Probability = Field(
        0.0, description="sync_msg gives an empty page with has_more=1, which the real one may do."
    )
    send_fail_probability: Probability = Field(0.0, description="An accepted kf message fails afterwards.")
    send_fail_type: Annotated[int, Field(ge=0, le=13)] = Field(0, description="fail_type of msg_send_fail then.")
    send_fail_delay_ms: Milliseconds = Field(300, description="From acceptance to the msg_send_fail event.")

    model_mode: ModelMode = Field("normal", description="What the language model does.")
    model_delay_ms: Milliseconds = Field(0, description="Before the model's first word; slow: at least 8 s.")


class Dice:
    """Draws for probabilities; the sandbox's own generator, so that tests may seed it."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)

    def strikes(self, probability: float) -> bool:
        return probability > 0.0 and self._random.random() < probability

    def up_to(self, limit: int) -> float:
        return self._random.uniform(0, limit)
