"""An SMS provider beside the simulated WeCom: Aliyun's SendSms, and the phones that get the messages."""
