"""Sending SMS behind a port: `SmsProvider` and the providers that implement it. Knows nothing of Huitouke."""

from huitouke.sms.aliyun import AliyunSms
from huitouke.sms.port import Failure, Sms, SmsError, SmsProvider, explain

__all__ = ["AliyunSms", "Failure", "Sms", "SmsError", "SmsProvider", "explain"]
