"""The story of each person: captured, called, won or lost, registered, looked after. Plain values; nothing is written here."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from clients.choices import CallOutcome, SalesStatus, Stage
from clients.demo import activity
from clients.demo.people import Crowd, Person
from clients.demo.texts import AFTER_A_TALK, CALL_NOTES, CARE_NOTES, NOTES
from crm.choices import Role
from crm.demo import Demo
from crm.models import Book, Brand, Desk, User

SHARE_OF_CLIENTS = 0.175
OLD_CLIENTS = 0.3  # clients who came before the three months that the demo tells in full
OUTCOMES = [
    (CallOutcome.NO_ANSWER, 40),
    (CallOutcome.REACHED, 32),
    (CallOutcome.CALL_BACK, 9),
    (CallOutcome.VOICEMAIL, 8),
    (CallOutcome.BUSY, 4),
    (CallOutcome.REFUSED, 5),
    (CallOutcome.WRONG_NUMBER, 2),
]
STAGES = [
    (Stage.ACTIVE, 46),
    (Stage.REGISTERED, 17),
    (Stage.VERIFIED, 12),
    (Stage.FUNDED, 10),
    (Stage.DORMANT, 13),
    (Stage.CLOSED, 2),
]


@dataclass
class CallPlan:
    at: dt.datetime
    agent: User
    outcome: CallOutcome
    seconds: int
    notes: str


@dataclass
class Journey:
    """One person from the first click on. `steps` are changes of the sales status; `client_id` is known once written."""

    person: Person
    brand: Brand
    desk: Desk
    captured_at: dt.datetime
    agent: User | None
    book: Book
    stage: Stage = Stage.LEAD
    registered_at: dt.datetime | None = None
    calls: list[CallPlan] = field(default_factory=list)
    steps: list[tuple[dt.datetime, SalesStatus, User | None]] = field(default_factory=list)
    tasks: list[tuple[dt.datetime, dt.datetime, User, str]] = field(
        default_factory=list
    )  # (set at, due at, who, title)
    notes: list[tuple[dt.datetime, User, str]] = field(default_factory=list)
    invited_at: dt.datetime | None = None
    moved_at: dt.datetime | None = None
    first_book: Book | None = None
    first_agent: User | None = None
    client_id: int = 0

    @property
    def status(self) -> SalesStatus:
        return self.steps[-1][1] if self.steps else SalesStatus.NEW

    @property
    def last_contact_at(self) -> dt.datetime | None:
        """The last call, or the letter with the registration link."""
        return max([call.at for call in self.calls] + ([self.invited_at] if self.invited_at else []), default=None)

    @property
    def touched_at(self) -> dt.datetime | None:
        moments = [call.at for call in self.calls[:1]] + [at for at, _status, _who in self.steps[:1]]
        return min(moments, default=None)


class Sales:
    """Who works where: agents of a desk, and those who look after clients."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.desks = {desk.name: desk for desk in demo.desks}
        self.brands = {brand.pk: brand for brand in demo.brands}
        retention = {user.pk for user in demo.by_role.get(Role.RETENTION.value, [])}
        self.sellers = {
            d.pk: [a for a in demo.agents if a.desk_id == d.pk and a.pk not in retention] for d in demo.desks
        }
        self.carers = {d.pk: [a for a in demo.agents if a.desk_id == d.pk and a.pk in retention] for d in demo.desks}
        # Some agents get more than others; whoever will open a hundred and fifty records has that many, and the first of a
        # desk, as whom a visitor signs in, has a month to show.
        self.weights = {
            desk_id: [2.2 if a == demo.outlier or a == agents[0] else demo.rng.uniform(0.7, 1.3) for a in agents]
            for desk_id, agents in self.sellers.items()
        }
        self.owed: dict[int, Counter[Stage]] = defaultdict(Counter)

    def stage(self, brand: Brand) -> Stage:
        """Each stage in its share of the brand's clients, from the first few on: the smallest demo has them all at any hour."""
        owed = self.owed[brand.pk]
        for stage, share in STAGES:
            owed[stage] += share
        most = max(owed, key=owed.__getitem__)
        owed[most] -= sum(share for _stage, share in STAGES)
        return most

    def seller(self, desk: Desk) -> User | None:
        agents = self.sellers[desk.pk]
        return self.demo.rng.choices(agents, self.weights[desk.pk])[0] if agents else None


def plan_journeys(demo: Demo) -> list[Journey]:
    """Everyone, in the order in which they came."""
    sales, crowd = Sales(demo), Crowd(demo.rng)
    journeys = [_journey(demo, sales, crowd) for _ in range(demo.count(5000))]
    journeys.sort(key=lambda journey: journey.captured_at)
    return journeys


def _journey(demo: Demo, sales: Sales, crowd: Crowd) -> Journey:
    rng = demo.rng
    person = crowd.anyone()
    desk = sales.desks[person.country.desk]
    brand = sales.brands[desk.brand_id]
    becomes_client = rng.random() < SHARE_OF_CLIENTS
    if becomes_client and rng.random() < OLD_CLIENTS:
        captured = activity.enquiry(rng, demo.since - dt.timedelta(days=200), demo.since, desk.time_zone)
    else:
        captured = activity.enquiry(rng, demo.since, demo.now, desk.time_zone)
    fresh = demo.now - captured < dt.timedelta(hours=20)
    waits = not becomes_client and fresh and rng.random() < 0.3
    agent = None if waits else sales.seller(desk)
    book = demo.books[agent.pk] if agent else demo.pools[desk.pk]
    journey = Journey(person, brand, desk, captured, agent, book, first_book=book, first_agent=agent)
    if agent is None:
        return journey
    if becomes_client:
        _win(demo, sales, journey)
        if journey.registered_at:
            _look_after(demo, sales, journey)
    else:
        _try(demo, journey)
    if rng.random() < 0.22 and journey.calls:
        at = journey.calls[-1].at + dt.timedelta(minutes=rng.randrange(1, 30))
        if at < demo.now:
            journey.notes.append((at, journey.calls[-1].agent, rng.choice(NOTES)))
    return journey


def _call(
    rng: random.Random, at: dt.datetime, agent: User, outcome: CallOutcome, notes: list[str] | None = None
) -> CallPlan:
    talked = outcome in (CallOutcome.REACHED, CallOutcome.CALL_BACK, CallOutcome.REFUSED)
    seconds = int(min(3600, rng.lognormvariate(5.0, 0.8))) if talked else rng.randrange(5, 40)
    return CallPlan(at, agent, outcome, seconds, rng.choice(notes or CALL_NOTES.get(outcome, [""])))


def _first_call_at(demo: Demo, journey: Journey) -> dt.datetime:
    wait = dt.timedelta(minutes=min(3000, demo.rng.lognormvariate(2.6, 1.1)))
    return activity.next_open(journey.captured_at + wait, journey.desk.time_zone)


def _try(demo: Demo, journey: Journey) -> None:
    """A lead that has not registered (yet): call after call, until it is decided or today."""
    rng, agent = demo.rng, journey.agent
    assert agent is not None
    at = _first_call_at(demo, journey)
    for _attempt in range(rng.choices((0, 1, 2, 3, 4, 5, 6), (9, 14, 18, 20, 18, 12, 9))[0]):
        if at > demo.now:
            break
        outcome = rng.choices([o for o, _w in OUTCOMES], [w for _o, w in OUTCOMES])[0]
        journey.calls.append(_call(rng, at, agent, outcome))
        status = _status_after(rng, journey.status, outcome)
        if status != journey.status:
            journey.steps.append((at + dt.timedelta(seconds=journey.calls[-1].seconds + 20), status, agent))
        if status in (SalesStatus.NOT_INTERESTED, SalesStatus.WRONG_NUMBER, SalesStatus.DO_NOT_CALL):
            return
        if status == SalesStatus.REGISTRATION_SENT:
            journey.invited_at = journey.steps[-1][0]
        due = activity.next_open(at + dt.timedelta(hours=rng.choice((20, 26, 45, 50, 70, 95))), journey.desk.time_zone)
        if outcome in (CallOutcome.CALL_BACK, CallOutcome.REACHED) and rng.random() < 0.75:
            title = "Call back" if outcome == CallOutcome.CALL_BACK else rng.choice(AFTER_A_TALK)
            journey.tasks.append((at, due.replace(minute=0, second=0), agent, title))
        at = due + dt.timedelta(minutes=rng.randrange(0, 90))


def _status_after(rng: random.Random, status: SalesStatus, outcome: CallOutcome) -> SalesStatus:
    if outcome in (CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL, CallOutcome.BUSY):
        return SalesStatus.NO_ANSWER if status == SalesStatus.NEW else status
    if outcome == CallOutcome.WRONG_NUMBER:
        return SalesStatus.WRONG_NUMBER if status in (SalesStatus.NEW, SalesStatus.NO_ANSWER) else status
    if outcome == CallOutcome.REFUSED:
        return SalesStatus.DO_NOT_CALL if rng.random() < 0.2 else SalesStatus.NOT_INTERESTED
    if outcome == CallOutcome.CALL_BACK:
        return SalesStatus.CALL_BACK if status != SalesStatus.REGISTRATION_SENT else status
    if status in (SalesStatus.NEW, SalesStatus.NO_ANSWER, SalesStatus.CALL_BACK):
        return rng.choices((SalesStatus.CONTACTED, SalesStatus.INTERESTED), (3, 2))[0]
    if status == SalesStatus.CONTACTED:
        return SalesStatus.INTERESTED
    return SalesStatus.REGISTRATION_SENT


def _win(demo: Demo, sales: Sales, journey: Journey) -> None:
    """Reached, convinced, invited, registered. What has not happened by now has not happened."""
    rng, agent = demo.rng, journey.agent
    assert agent is not None
    at = _first_call_at(demo, journey)
    if at > demo.now:
        return
    if rng.random() < 0.35:
        journey.calls.append(_call(rng, at, agent, CallOutcome.NO_ANSWER))
        journey.steps.append((at + dt.timedelta(minutes=1), SalesStatus.NO_ANSWER, agent))
        at = activity.next_open(at + dt.timedelta(hours=rng.uniform(2, 30)), journey.desk.time_zone)
        if at > demo.now:
            return
    call = _call(rng, at, agent, CallOutcome.REACHED)
    journey.calls.append(call)
    done = at + dt.timedelta(seconds=call.seconds + 30)
    journey.steps.append((done, SalesStatus.CONTACTED, agent))
    journey.invited_at = done + dt.timedelta(minutes=1)
    journey.steps.append((journey.invited_at, SalesStatus.REGISTRATION_SENT, agent))
    registered = done + dt.timedelta(hours=min(240, rng.lognormvariate(1.6, 1.3)))
    if registered > demo.now - dt.timedelta(minutes=10):
        return
    journey.registered_at = registered
    journey.steps.append((registered, SalesStatus.CONVERTED, None))
    age = demo.now - registered
    journey.stage = sales.stage(journey.brand)
    if age < dt.timedelta(days=4):
        journey.stage = rng.choice((Stage.REGISTERED, Stage.VERIFIED, Stage.REGISTERED))
    elif age < dt.timedelta(days=10) and journey.stage in (Stage.ACTIVE, Stage.DORMANT, Stage.CLOSED):
        journey.stage = rng.choice((Stage.FUNDED, Stage.ACTIVE))
    elif age < dt.timedelta(days=60) and journey.stage in (Stage.DORMANT, Stage.CLOSED):
        journey.stage = Stage.ACTIVE


def _look_after(demo: Demo, sales: Sales, journey: Journey) -> None:
    """Retention takes over six in ten of those who paid in; someone calls every few weeks."""
    rng = demo.rng
    assert journey.registered_at is not None and journey.agent is not None
    carers = sales.carers[journey.desk.pk]
    paid = journey.stage in (Stage.FUNDED, Stage.ACTIVE, Stage.DORMANT)
    if carers and paid and rng.random() < 0.6:
        moved = activity.next_open(journey.registered_at + dt.timedelta(days=rng.uniform(3, 9)), journey.desk.time_zone)
        if moved < demo.now:
            journey.moved_at, journey.agent = moved, rng.choice(carers)
            journey.book = demo.books[journey.agent.pk]
    at = max(journey.registered_at, demo.since) + dt.timedelta(days=rng.uniform(1, 6))
    while journey.stage not in (Stage.CLOSED,):
        at = activity.next_open(at, journey.desk.time_zone)
        if at > demo.now:
            break
        who = journey.agent if journey.moved_at is None or at > journey.moved_at else journey.first_agent
        assert who is not None
        outcome = rng.choices((CallOutcome.REACHED, CallOutcome.NO_ANSWER, CallOutcome.CALL_BACK), (6, 3, 1))[0]
        notes = CARE_NOTES if outcome == CallOutcome.REACHED else None
        journey.calls.append(_call(rng, at, who, outcome, notes))
        gap = rng.uniform(6, 18) if paid else rng.uniform(3, 8)
        at += dt.timedelta(days=gap, minutes=rng.randrange(-200, 200))
        if outcome == CallOutcome.CALL_BACK:
            due = activity.next_open(journey.calls[-1].at + dt.timedelta(days=1), journey.desk.time_zone)
            journey.tasks.append((journey.calls[-1].at, due.replace(minute=0, second=0), who, "Call back"))
