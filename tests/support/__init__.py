"""What tests share: databases, tenants, clients. Holds no tests."""
