"""The metrics by name, with their descriptions and values."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from app.budgets import Store
from app.http.services import Services
from app.metrics.counts import BOUNDS, Counts, Histogram
from app.metrics.state import Seen
from app.storage.replicas import Replicas

PREFIX = "switchboard_"

Labelled = Mapping[tuple[str, ...], float]


def families(services: Services, counts: Counts, seen: Seen | None) -> Iterator[Metric]:
    """All metrics with their current values. `seen` is None when the database did not answer; its metrics are left
    out."""
    yield _info(services)
    yield from _of_answers(counts)
    yield from _of_compiling(services)
    yield from _of_database(services)
    if services.database.replicas is not None:
        yield from _of_replicas(services.database.replicas)
    if services.store is not None:
        yield from _of_store(services.store)
    yield from _of_feed(services)
    yield from _of_listeners(services)
    yield _gauge("database_up", "Whether the database answered this scrape.", {(): float(seen is not None)})
    if seen is not None:
        yield from _of_state(seen)


def _info(services: Services) -> Metric:
    try:
        installed = version("switchboard")
    except PackageNotFoundError:
        installed = "unknown"  # the package is not installed, but run from its folder
    described = {"version": installed, "database": services.database.dialect.name}
    return InfoMetricFamily(f"{PREFIX}build", "What runs.", value=described)


def _of_answers(counts: Counts) -> Iterator[Metric]:
    counts.settle()
    yield _counter("requests", "HTTP requests that were answered.", counts.requests, "transport", "status")
    yield _histogram("request_seconds", "How long answers took.", counts.of_transport, "transport")
    yield _counter(
        "operations", "Operations by the code of their first error.", counts.operations, "operation", "kind", "outcome"
    )
    yield _histogram("operation_seconds", "How long operations took.", counts.of_operation, "operation")
    yield _counter("client_operations", "Operations by client.", _one_label(counts.clients), "client")


def _of_compiling(services: Services) -> Iterator[Metric]:
    operations = services.operations
    yield _counter("compiled", "Documents and plans that were not in the caches.", {(): operations.compiling.done})
    yield _counter("validated", "Documents that were validated.", {(): operations.documents.validated})
    yield _gauge("plan_fields", "Fields of the plans that are kept.", {(): operations.documents.plans.weight})


def _of_database(services: Services) -> Iterator[Metric]:
    tally, loads = services.database.tally, services.database.loads()
    yield _counter("commands", "Units of work that ended, undone ones among them.", {(): tally.units})
    yield _counter("command_retries", "Attempts after the first, of a unit or a group.", {(): tally.retries})
    yield _counter("commits", "Transactions of commands; on SQLite a group shares one.", {(): tally.commits})
    for name, what, place in (
        ("pool_connections", "Connections, or SQLite's threads, that are open.", 0),
        ("pool_busy", "Those of them that are in use.", 1),
        ("pool_waiting", "Commands and reads that wait for one.", 2),
    ):
        yield _gauge(name, what, {(pool,): load[place] for pool, load in loads.items()}, "pool")


def _of_replicas(replicas: Replicas) -> Iterator[Metric]:
    numbered = {str(each.number): each for each in replicas.all}
    answered = {number: each.reads for number, each in numbered.items()}
    yield _counter(
        "reads", "Reads by what answered them.", _one_label({"primary": replicas.at_primary, **answered}), "place"
    )
    yield _counter("reads_moved", "Reads that failed on a replica, and began again.", {(): replicas.moved})
    used = {number: float(each.left is None) for number, each in numbered.items()}
    yield _gauge("replica_used", "Whether the replica answers reads.", _one_label(used), "replica")
    lags = {number: each.lag for number, each in numbered.items()}
    yield _gauge(
        "replica_lag_seconds", "How long it took the replica to be where the primary was.", _one_label(lags), "replica"
    )
    left: Labelled = {
        (number, reason.value): times for number, each in numbered.items() for reason, times in each.departures.items()
    }
    yield _counter("replica_left", "How often the replica was left, and why.", left, "replica", "reason")


def _of_store(store: Store) -> Iterator[Metric]:
    yield _gauge("shared_store_used", "Whether the shared store answers.", {(): float(store.fault is None)})
    yield _counter("shared_store_questions", "Questions to the shared store.", _one_label(store.questions), "outcome")


def _of_feed(services: Services) -> Iterator[Metric]:
    feed = services.connections.feed
    yield _counter("feed_events", "Events of the log that this process has read.", {(): feed.number})
    yield _gauge("feed_lag_seconds", "How old the latest events were when they were read.", {(): feed.lag.seconds})
    yield _gauge("feed_readable", "Whether the log can be read.", {(): float(not feed.is_silent)})
    positions = feed.positions
    yield _gauge(
        "log_position",
        "How far each lane of the log was read; none while nobody listens.",
        {(str(lane),): position for lane, position in enumerate(positions)},
        "lane",
    )


def _of_listeners(services: Services) -> Iterator[Metric]:
    connections, subscriptions = services.connections, services.subscriptions
    yield _gauge("streams", "WebSockets and streams of events that are open.", {(): len(connections)})
    yield _gauge("subscriptions", "Subscriptions that are answered.", {(): subscriptions.running})
    yield _counter("items", "Items of subscriptions that were made.", {(): subscriptions.items_made})
    yield _counter("items_sent", "Items for each subscription that got them.", {(): subscriptions.items_sent})
    yield _counter("streams_ended", "Streams that have ended, and why.", _one_label(connections.ended), "reason")


def _of_state(seen: Seen) -> Iterator[Metric]:
    yield _gauge("queue_interactions", "Interactions that need a human.", _one_label(seen.queue), "level")
    yield _gauge("queue_oldest_seconds", "How long the oldest has waited.", _one_label(seen.queue_age), "level")
    yield _gauge("deadline_lateness_seconds", "How late the oldest deadline is.", {(): seen.lateness})
    yield _gauge("connections", "Connections to other systems.", _one_label(seen.connections), "state")
    yield _gauge("inbox_deliveries", "Deliveries that are not applied.", _one_label(seen.inbox), "state")
    yield _gauge("inbox_oldest_seconds", "How long one of them has waited.", {(): seen.inbox_age})
    yield _gauge("destinations", "Destinations of alerts.", _one_label(seen.destinations), "state")
    yield _gauge("destination_failing_seconds", "How long an active one has failed.", {(): seen.failing_age})
    yield _gauge("log_partitions", "Partitions of the event log in use; one on SQLite.", {(): seen.partitions})


def _one_label(values: Mapping[str, float]) -> Labelled:
    return {(name,): value for name, value in values.items()}


def _counter(name: str, what: str, values: Labelled, *labels: str) -> Metric:
    made = CounterMetricFamily(PREFIX + name, what, labels=labels)
    _fill(made, values)
    return made


def _gauge(name: str, what: str, values: Labelled, *labels: str) -> Metric:
    made = GaugeMetricFamily(PREFIX + name, what, labels=labels)
    _fill(made, values)
    return made


def _fill(made: CounterMetricFamily | GaugeMetricFamily, values: Labelled) -> None:
    for labelled, value in values.items():
        made.add_metric(list(labelled), value)


def _histogram(name: str, what: str, values: Mapping[str, Histogram], *labels: str) -> Metric:
    made = HistogramMetricFamily(PREFIX + name, what, labels=labels)
    for labelled, found in values.items():
        ends = [*map(str, BOUNDS), "+Inf"]
        made.add_metric([labelled], list(zip(ends, _cumulated(found.buckets), strict=True)), found.total)
    return made


def _cumulated(buckets: Iterable[int]) -> list[int]:
    return list(accumulate(buckets))
