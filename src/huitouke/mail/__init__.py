"""Sending e-mail over SMTP. Knows nothing of Huitouke."""

from huitouke.mail.smtp import Mail, MailError, MailReason, SmtpServer, explain, send, server_of

__all__ = ["Mail", "MailError", "MailReason", "SmtpServer", "explain", "send", "server_of"]
