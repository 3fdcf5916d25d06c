"""Messages as the phone and the employee's client send them: the payload stands under the name of its msgtype."""

from typing import Annotated, Literal

from pydantic import Field

from wechat_sandbox.control.schemas import Identifier, Input, LocationPayload, MediaId, Name, Url

TEXT_LIMIT_CHARACTERS = 4_000


class TextPayload(Input):
    content: Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT_CHARACTERS)]
    menu_id: Annotated[str, Field(max_length=128)] | None = None


class MediaInput(Input):
    media_id: MediaId


class LinkPayload(Input):
    title: Annotated[str, Field(min_length=1, max_length=256)]
    desc: Annotated[str, Field(max_length=1_024)] = ""
    url: Url
    pic_url: Url = ""


class BusinessCardPayload(Input):
    userid: Identifier


class MiniprogramPayload(Input):
    title: Annotated[str, Field(min_length=1, max_length=128)]
    appid: Annotated[str, Field(min_length=1, max_length=64)]
    pagepath: Annotated[str, Field(max_length=1_024)] = ""
    thumb_media_id: Annotated[str, Field(max_length=128)] = ""


class ProductPayload(Input):
    product_id: Annotated[str, Field(min_length=1, max_length=64)]
    head_image: Url = ""
    title: Annotated[str, Field(max_length=256)] = ""
    sales_price: Annotated[str, Field(max_length=32)] = ""
    shop_nickname: Annotated[str, Field(max_length=64)] = ""
    shop_head_image: Url = ""


class OrderPayload(Input):
    order_id: Annotated[str, Field(min_length=1, max_length=64)]
    product_titles: Annotated[str, Field(max_length=1_024)] = ""
    price_wording: Annotated[str, Field(max_length=64)] = ""
    state: Annotated[str, Field(max_length=32)] = ""
    image_url: Url = ""
    shop_nickname: Annotated[str, Field(max_length=64)] = ""


class MergedItem(Input):
    send_time: int
    msgtype: Annotated[str, Field(max_length=32)]
    sender_name: Name
    msg_content: Annotated[str, Field(max_length=8_000, description="JSON text of the payload, as in reality")]


class MergedPayload(Input):
    title: Annotated[str, Field(max_length=128)]
    item: Annotated[list[MergedItem], Field(max_length=100)]


class ChannelsPayload(Input):
    sub_type: Annotated[int, Field(ge=1, le=3)]
    nickname: Annotated[str, Field(max_length=64)] = ""
    title: Annotated[str, Field(max_length=256)] = ""


CustomerMessageType = Literal[
    "text",
    "image",
    "voice",
    "video",
    "file",
    "location",
    "link",
    "business_card",
    "miniprogram",
    "channels_shop_product",
    "channels_shop_order",
    "merged_msg",
    "channels",
    "meeting",
    "calendar",
    "note",
]


class CustomerMessageInput(Input):
    """A message from the phone; the payload stands under the name of its msgtype."""

    msgtype: CustomerMessageType
    text: TextPayload | None = None
    image: MediaInput | None = None
    voice: MediaInput | None = None
    video: MediaInput | None = None
    file: MediaInput | None = None
    location: LocationPayload | None = None
    link: LinkPayload | None = None
    business_card: BusinessCardPayload | None = None
    miniprogram: MiniprogramPayload | None = None
    channels_shop_product: ProductPayload | None = None
    channels_shop_order: OrderPayload | None = None
    merged_msg: MergedPayload | None = None
    channels: ChannelsPayload | None = None


class ServicerMessageInput(Input):
    """A reply from the employee's WeCom client."""

    msgtype: Literal["text", "image", "file", "link"] = "text"
    text: TextPayload | None = None
    image: MediaInput | None = None
    file: MediaInput | None = None
    link: LinkPayload | None = None
