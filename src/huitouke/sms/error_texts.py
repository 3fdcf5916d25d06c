"""Sentences for what providers of SMS answer: Aliyun's codes (短信服务, API 错误码), and our reasons of transport."""

from typing import Final, TypedDict

Text = TypedDict("Text", {"zh-CN": str, "en": str})


def _text(chinese: str, english: str) -> Text:
    return {"zh-CN": chinese, "en": english}


FALLBACK: Final = _text(
    "短信服务返回了错误 {code}。请稍后再试；一直出现请联系短信服务商。",
    "The SMS service answered with error {code}. Try again later; if it stays, ask the provider.",
)

TEXTS: Final[dict[str, Text]] = {
    "isv.AMOUNT_NOT_ENOUGH": _text("短信账户余额不足，请充值。", "The SMS account has run out of credit. Top it up."),
    "isv.OUT_OF_SERVICE": _text(
        "短信账户已停用，请充值或联系服务商。", "The SMS account is suspended. Top it up or ask the provider."
    ),
    "isv.PRODUCT_UN_SUBSCRIPT": _text("还没有开通短信服务。", "The SMS service is not activated."),
    "isv.ACCOUNT_NOT_EXISTS": _text("短信账户不存在。", "The SMS account doesn't exist."),
    "isv.ACCOUNT_ABNORMAL": _text("短信账户异常，请联系服务商。", "The SMS account is blocked. Ask the provider."),
    "isp.RAM_PERMISSION_DENY": _text(
        "这个 AccessKey 没有发短信的权限，请到 RAM 控制台授权。",
        "This access key may not send SMS; grant it.",
    ),
    "InvalidAccessKeyId.NotFound": _text(
        "AccessKey 不存在，请重新复制。", "There is no such access key. Copy it again."
    ),
    "SignatureDoesNotMatch": _text(
        "AccessKey Secret 不对，请重新复制。", "The access key's secret is wrong. Copy it again."
    ),
    "isv.SMS_SIGNATURE_ILLEGAL": _text(
        "短信签名没有通过审核，或者填错了。", "The SMS signature isn't approved, or is misspelt."
    ),
    "isv.SMS_TEMPLATE_ILLEGAL": _text(
        "短信模板没有通过审核，或者填错了。", "The SMS template isn't approved, or is misspelt."
    ),
    "isv.TEMPLATE_MISSING_PARAMETERS": _text("短信模板的变量没有填全。", "The template's variables are incomplete."),
    "isv.INVALID_PARAMETERS": _text("短信参数不对。", "The SMS parameters are wrong."),
    "isv.MOBILE_NUMBER_ILLEGAL": _text("手机号不对。", "The phone number is wrong."),
    "isv.BUSINESS_LIMIT_CONTROL": _text(
        "发给这个号码太频繁，被短信服务商限制了。", "Too many messages to this number: the provider refuses more."
    ),
    "Throttling.User": _text("短信发送太快，会自动再试。", "Too many calls at once; it is tried again."),
    "connect": _text("连不上短信服务，会自动再试。", "The SMS service can't be reached; it is tried again."),
    "timeout": _text(
        "短信服务没有回应，不确定有没有发出。", "The SMS service didn't answer, so it may or may not have been sent."
    ),
    "broken": _text(
        "和短信服务的连接中途断开，不确定有没有发出。",
        "The connection broke; it may or may not have been sent.",
    ),
}
