"""Columns of the customers that other modules may join on, read-only."""

from huitouke.modules.customers.models import Customer, CustomerFollower, CustomerIdentity

__all__ = ["Customer", "CustomerFollower", "CustomerIdentity"]

customer_tenant_id = Customer.tenant_id
customer_id = Customer.id
customer_name = Customer.name
customer_remark = Customer.remark
customer_avatar_url = Customer.avatar_url
customer_profile_at = Customer.profile_at
identity_customer_id = CustomerIdentity.customer_id
identity_value = CustomerIdentity.value
follower_customer_id = CustomerFollower.customer_id
follower_staff_id = CustomerFollower.staff_id
