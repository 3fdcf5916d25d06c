"""Columns of the conversations that other modules may join on, read-only."""

from huitouke.modules.conversations.models import ChannelAccount, Conversation, Message

__all__ = ["ChannelAccount", "Conversation", "Message"]

conversation_tenant_id = Conversation.tenant_id
conversation_id = Conversation.id
conversation_customer_id = Conversation.customer_id
conversation_state = Conversation.state
conversation_handler = Conversation.handler
message_id = Message.id
message_conversation_id = Message.conversation_id
message_state = Message.state
