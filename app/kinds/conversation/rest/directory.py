"""Channel agents, and the customers and profiles of the contract's own system."""

from app.kinds.conversation.model.conversation import SYSTEM
from app.kinds.conversation.rest import answers, paging, people
from app.kinds.conversation.rest.values import LISTS, READS, key, key_in_path, missing
from app.rest import About, Answer, Call, Operation, Reply


async def list_agents(call: Call) -> Reply:
    """All channel agents that the caller sees."""
    found = await call.read(people.LIST_AGENTS)
    return Reply(body={"data": await call.written(found["nodes"], people.agent)})


async def get_agent(call: Call) -> Reply:
    """The channel agent that the path names. Raises NotFound."""
    number = key(call, "id", "agent")
    found = await call.read(people.GET_AGENT, id=f"cha_{number}")
    if found is None:
        raise missing("agent", number)
    return Reply(body={"data": people.agent(found)})


async def list_customers(call: Call) -> Reply:
    """A page of the customers of the contract's system. Raises InvalidInput."""
    wanted = paging.asked(call)
    found = await call.read(people.LIST_CUSTOMERS, **wanted.variables)
    shown = await call.written(found["customers"], people.customer)
    return Reply(body=paging.page(call, _CUSTOMERS, wanted, shown, found["total"]))


async def get_customer(call: Call) -> Reply:
    """The customer that the path names. Raises NotFound, also for one of another system."""
    number = key(call, "id", "customer")
    found = await call.read(people.GET_CUSTOMER, id=f"cus_{number}")
    if found is None or found["system"] != SYSTEM:
        raise missing("customer", number)
    return Reply(body={"data": people.customer(found)})


async def list_users(call: Call) -> Reply:
    """The users who see the customer that the path names, without admins. Raises NotFound."""
    number = key(call, "id", "customer")
    found = await call.read(people.LIST_USERS, customer_id=number)
    if found is None:
        raise missing("customer", number)
    return Reply(body={"data": await call.written(found["users"], people.user)})


async def get_profile(call: Call) -> Reply:
    """The profile that the path names. Raises NotFound."""
    number = key(call, "id", "profile")
    found = await call.read(people.GET_PROFILE, id=f"prf_{number}")
    if found is None:
        raise missing("profile", number)
    return Reply(body={"data": people.profile(found)})


_AGENTS = "/third-party/v1/agents"
_CUSTOMERS = "/third-party/v1/customers"

_OF_CUSTOMERS = ("customers",)
_AGENT_ID = key_in_path("id", "The agent.")
_CUSTOMER_ID = key_in_path("id", "The customer.")

OPERATIONS = (
    Operation(
        "GET",
        _AGENTS,
        list_agents,
        About(
            "listAgents",
            "List available agents.",
            tags=("agents",),
            answer=Answer(200, "The agents.", answers.Data[list[answers.Agent]]),
            refuses=READS,
        ),
    ),
    Operation(
        "GET",
        f"{_AGENTS}/{{id}}",
        get_agent,
        About(
            "getAgent",
            "Show an agent.",
            tags=("agents",),
            parameters=(_AGENT_ID,),
            answer=Answer(200, "The agent.", answers.Data[answers.Agent]),
            refuses=READS,
        ),
    ),
    Operation(
        "GET",
        _CUSTOMERS,
        list_customers,
        About(
            "listCustomers",
            "List available customers.",
            tags=_OF_CUSTOMERS,
            parameters=paging.PARAMETERS,
            answer=Answer(200, "A page of customers.", answers.Page[answers.Customer]),
            refuses=LISTS,
        ),
    ),
    Operation(
        "GET",
        f"{_CUSTOMERS}/{{id}}",
        get_customer,
        About(
            "getCustomer",
            "Show a customer.",
            tags=_OF_CUSTOMERS,
            parameters=(_CUSTOMER_ID,),
            answer=Answer(200, "The customer.", answers.Data[answers.Customer]),
            refuses=READS,
        ),
    ),
    Operation(
        "GET",
        f"{_CUSTOMERS}/{{id}}/users",
        list_users,
        About(
            "listUsersOfCustomer",
            "List the users who can see a customer, without admins.",
            tags=_OF_CUSTOMERS,
            parameters=(_CUSTOMER_ID,),
            answer=Answer(200, "The users.", answers.Data[list[answers.User]]),
            refuses=READS,
        ),
    ),
    Operation(
        "GET",
        "/third-party/v1/profiles/{id}",
        get_profile,
        About(
            "getProfile",
            "Show a profile.",
            tags=("profiles",),
            parameters=(key_in_path("id", "The profile."),),
            answer=Answer(200, "The profile.", answers.Data[answers.Profile]),
            refuses=READS,
        ),
    ),
)
