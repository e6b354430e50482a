"""What can be done to users, API keys, customers and profiles."""

from app.directory.service.customers import (
    create_customer,
    delete_customer,
    link_customer,
    meet_customer,
    subscribe_customer,
    unlink_customer,
    unsubscribe_customer,
    update_customer,
)
from app.directory.service.keys import PEPPER, admin_key, bootstrap, create_api_key, pepper_of, revoke_api_key
from app.directory.service.profiles import (
    block_profile,
    create_profile,
    delete_profile,
    unblock_profile,
    update_profile,
)
from app.directory.service.users import activate_user, create_user, deactivate_user, set_presence, update_user

__all__ = (
    "PEPPER",
    "activate_user",
    "admin_key",
    "block_profile",
    "bootstrap",
    "create_api_key",
    "create_customer",
    "create_profile",
    "create_user",
    "deactivate_user",
    "delete_customer",
    "delete_profile",
    "link_customer",
    "meet_customer",
    "pepper_of",
    "revoke_api_key",
    "set_presence",
    "subscribe_customer",
    "unblock_profile",
    "unlink_customer",
    "unsubscribe_customer",
    "update_customer",
    "update_profile",
    "update_user",
)
