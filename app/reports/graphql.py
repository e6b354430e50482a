"""Reports in the graph."""

from datetime import datetime

import strawberry

from app.directory.graphql import Team, User
from app.graph.enums import described
from app.graph.fields import argument, root
from app.graph.slice import Slice
from app.interactions.graphql.enums import KindName
from app.reports.model.spans import LONGEST, LONGEST_IN_DETAIL, Grouping
from app.reports.reads import MAPPINGS, ROOTS

described(
    Grouping,
    "The fields by which a report can be grouped.",
    {
        "KIND": "By the kind of the interactions.",
        "TEAM": "By the team that the interaction belonged to then.",
        "USER": "By the user who answered or closed, or who held a missed or reopened interaction.",
        "DAY": "By day in the time zone, including days without figures.",
        "MONTH": "By month in the time zone, including months without figures.",
        "HOUR_OF_DAY": "By the hour of the day in the time zone, over all days.",
    },
    name="ReportGrouping",
)


@strawberry.input(description="Which figures a report includes. An absent or null condition does not filter.")
class ReportFilter:
    kinds: strawberry.Maybe[list[KindName]] = strawberry.field(
        default=None, description="The kinds of the interactions."
    )
    team_ids: strawberry.Maybe[list[strawberry.ID | None]] = strawberry.field(
        default=None,
        description=("The ids of the teams that the interactions belonged to; null in the list matches no team."),
    )
    user_ids: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(
        default=None, description="The ids of the users who answered or closed; `me` is the caller."
    )


@strawberry.type(
    description="How long something took. For chats, only the opening hours of their topic count. Percentiles are "
    "within 5 % of the true value."
)
class ReportDurations:
    count: int = strawberry.field(description="The number of durations.")
    average_seconds: float | None = strawberry.field(description="The mean in seconds; null without durations.")
    p50_seconds: float | None = strawberry.field(description="The median in seconds; null without durations.")
    p90_seconds: float | None = strawberry.field(description="The 90th percentile in seconds; null without durations.")
    p95_seconds: float | None = strawberry.field(description="The 95th percentile in seconds; null without durations.")


@strawberry.type(description="The figures of a report, or of one of its groups.")
class ReportFigures:
    first_response: ReportDurations = strawberry.field(
        description="The waits that a user ended by the first answer of any user in the interaction."
    )
    next_response: ReportDurations = strawberry.field(description="The waits that a user ended by a later answer.")
    waiting: ReportDurations = strawberry.field(
        description="All waits for a human: those that a user answered, and those that closing ended."
    )
    bot_response: ReportDurations = strawberry.field(
        description="The waits that a bot or an AI agent ended while it was in charge. No other figure includes them."
    )
    resolution: ReportDurations = strawberry.field(
        description="The times from the opening or the latest reopening of an interaction to its closing."
    )
    answered_count: int = strawberry.field(description="The number of waits that a user answered.")
    targeted_count: int = strawberry.field(description="How many of them belong to kinds with a target.")
    within_target_count: int = strawberry.field(
        description="How many of these were answered within the target that was set when they were counted."
    )
    unanswered_count: int = strawberry.field(description="The number of waits that closing ended without an answer.")
    missed_count: int = strawberry.field(
        description="The number of reply windows that closed while the customer waited, and of chats that asked for a "
        "human while nobody was present."
    )
    reopened_count: int = strawberry.field(description="The number of times that interactions were reopened.")


@strawberry.type(description="A group of a report.")
class ReportGroup:
    kind: KindName | None = strawberry.field(description="The kind of the group's interactions, when grouped by it.")
    team: Team | None = strawberry.field(
        description="The team of the group's interactions, when grouped by it; null for those without a team."
    )
    user: User | None = strawberry.field(
        description="The user of the group, when grouped by it; null for the group without a user."
    )
    start: datetime | None = strawberry.field(
        description=(
            "The start of the group's day or month, when grouped by it. For the first group, it is the start of the "
            "report."
        )
    )
    hour: int | None = strawberry.field(description="The hour of the day, 0 to 23, when grouped by it.")
    figures: ReportFigures = strawberry.field(description="The figures of the group.")


@strawberry.type(
    description="How customers were answered in a span of time. A wait counts in the hour in which it ended. It is "
    "in the report a few seconds later at the latest, while a server runs."
)
class Report:
    since: datetime = strawberry.field(description="The start of the report's first hour.")
    until: datetime = strawberry.field(description="The end of the report's last hour.")
    counts_since: datetime = strawberry.field(
        description="The time since which figures are kept. What happened before is not in the report."
    )
    total: ReportFigures = strawberry.field(description="The figures of all groups together.")
    groups: list[ReportGroup] = strawberry.field(
        description="The groups, ordered by time; groups of teams and users by the number of durations, largest "
        "first, with the group without a team or user last. Empty without `groupBy`."
    )
    csv: str = strawberry.field(
        description="The groups as a CSV file with a heading and CRLF line ends, or the total without `groupBy`."
    )


@strawberry.type
class ReportsQuery:
    report: Report | None = root(
        description="How long customers waited and who answered, for the interactions that the caller may see. Needs "
        "`reports:read`. With a permission `…:read:team`, the report covers the caller's teams and "
        "interactions without a team; with `…:read:own`, what the caller did.",
        since=argument(datetime, "The start of the report: hours that begin then or later are included."),
        until=argument(
            datetime,
            "The end of the report: hours that begin before it are included. At most "
            f"{LONGEST.days} days after `since`; by day or hour, at most {LONGEST_IN_DETAIL.days} days.",
        ),
        group_by=argument(Grouping | None, "The field to group by; null for the total only.", None),
        filter=argument(ReportFilter | None, "Which figures count.", None),
        time_zone=argument(str, "The time zone of days, months and hours, such as `Europe/Oslo`.", "UTC"),
    )


REPORTS = Slice(query=ReportsQuery, mappings=MAPPINGS, roots=ROOTS)
"""What the reports slice adds to the graph."""
