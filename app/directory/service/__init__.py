"""The commands on users, API keys, teams, customers and profiles."""

from app.directory.service.bootstrap import bootstrap, local_key, user_by_login
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
from app.directory.service.explaining import explain_grants
from app.directory.service.identities import link_identity, note_sign_in, remove_identity, sign_in, unlink_identity
from app.directory.service.keys import create_api_key, revoke_api_key
from app.directory.service.peppers import settle_pepper
from app.directory.service.profiles import (
    block_profile,
    create_profile,
    delete_profile,
    unblock_profile,
    update_profile,
)
from app.directory.service.refusals import record_refusals
from app.directory.service.rotation import end_peppers, redigest
from app.directory.service.sessions import end_sessions, forget_sessions, note_sessions
from app.directory.service.teams import create_team, delete_team, team_by_name, update_team
from app.directory.service.tickets import begin_stream, create_stream_ticket, forget_tickets
from app.directory.service.users import activate_user, create_user, deactivate_user, set_presence, update_user

__all__ = (
    "activate_user",
    "begin_stream",
    "block_profile",
    "bootstrap",
    "create_api_key",
    "create_customer",
    "create_profile",
    "create_stream_ticket",
    "create_team",
    "create_user",
    "deactivate_user",
    "delete_customer",
    "delete_profile",
    "delete_team",
    "end_peppers",
    "end_sessions",
    "explain_grants",
    "forget_sessions",
    "forget_tickets",
    "link_customer",
    "link_identity",
    "local_key",
    "meet_customer",
    "note_sessions",
    "note_sign_in",
    "record_refusals",
    "redigest",
    "remove_identity",
    "revoke_api_key",
    "set_presence",
    "settle_pepper",
    "sign_in",
    "subscribe_customer",
    "team_by_name",
    "unblock_profile",
    "unlink_customer",
    "unlink_identity",
    "unsubscribe_customer",
    "update_customer",
    "update_profile",
    "update_team",
    "update_user",
    "user_by_login",
)
